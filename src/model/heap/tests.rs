//! Command lines and environments of each runtime, and what they bound.

use proptest::prelude::*;

use super::{HeapBound, Launch, Most, Runtime, VARIABLES, heap_bound};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

fn launch(command: &str, environment: &[(&'static str, &str)]) -> Launch {
    let environment = environment.iter();
    Launch {
        arguments: command.split(' ').map(str::to_owned).collect(),
        is_environment_known: true,
        environment: environment
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
    }
}

fn bound(command: &str, environment: &[(&'static str, &str)]) -> Option<HeapBound> {
    heap_bound(&launch(command, environment))
}

fn most(command: &str, environment: &[(&'static str, &str)]) -> Option<Most> {
    bound(command, environment).map(|bound| bound.most)
}

#[test]
fn java_takes_the_last_option_of_the_machine_and_none_of_the_program() {
    let bytes = |gib| Some(Most::Bytes(gib * GIB));
    assert_eq!(most("/usr/bin/java -Xmx2g -jar app.jar", &[]), bytes(2));
    assert_eq!(most("java -Xmx2g -Xmx3072M Main", &[]), bytes(3));
    assert_eq!(most("java -XX:MaxHeapSize=1073741824 Main", &[]), bytes(1));
    let own = most("java -cp /a:/b Main -Xmx2g", &[]);
    assert_eq!(own, Some(Most::Percent(25.0)), "an argument of the program");
    assert_eq!(most("java -cp x -Xmx2g -jar a.jar -Xmx9g", &[]), bytes(2));
    assert_eq!(
        most("java -Xmx2g Main", &[("JAVA_TOOL_OPTIONS", "-Xmx9g")]),
        bytes(2)
    );
    assert_eq!(
        most("java -Xmx9g Main", &[("_JAVA_OPTIONS", "-ea -Xmx2g")]),
        bytes(2)
    );
    assert_eq!(
        most("java Main", &[("JDK_JAVA_OPTIONS", "-Xmx2g")]),
        bytes(2)
    );
    let share = most("java -XX:MaxRAMPercentage=75.0 -jar a.jar", &[]);
    assert_eq!(share, Some(Most::Percent(75.0)));
    let both = most("java -Xmx2g -XX:MaxRAMPercentage=75.0 -jar a.jar", &[]);
    assert_eq!(both, bytes(2), "the size wins, wherever it stands");
    assert!(bound("java Main", &[]).expect("one").is_default);
    assert_eq!(bound("javac -Xmx2g", &[]), None);
}

#[test]
fn the_other_runtimes() {
    let mib = |mib| Some(Most::Bytes(mib * MIB));
    assert_eq!(most("node --max-old-space-size=4096 a.js", &[]), mib(4096));
    assert_eq!(most("node a.js --max-old-space-size=4096", &[]), None);
    let options = [("NODE_OPTIONS", "--max_old_space_size=512")];
    assert_eq!(most("/usr/bin/node a.js", &options), mib(512));
    assert_eq!(
        most("node --max-old-space-size=256 a.js", &options),
        mib(256)
    );
    assert_eq!(most("/srv/api", &[("GOMEMLIMIT", "1536MiB")]), mib(1536));
    assert_eq!(most("/srv/api", &[("GOMEMLIMIT", "off")]), None);
    assert_eq!(
        most("/srv/api", &[("GOMEMLIMIT", "2GB")]),
        None,
        "no unit of Go"
    );
    let hexadecimal = [("DOTNET_GCHeapHardLimit", "0xC800000")];
    assert_eq!(most("/app/web", &hexadecimal), mib(200));
    let percent = [("DOTNET_GCHeapHardLimitPercent", "0x1E")];
    assert_eq!(most("dotnet web.dll", &percent), Some(Most::Percent(30.0)));
    assert_eq!(most("dotnet web.dll", &[]), None, "its files are not read");
    assert_eq!(
        most("node -r a/b --max-old-space-size=64 a.js", &[]),
        mib(64)
    );
    let both = "node --max-old-space-size-percentage=50 --max-old-space-size=64 a.js";
    assert_eq!(most(both, &[]), Some(Most::Percent(50.0)));
    assert_eq!(most("postgres -D /d -c shared_buffers=4GB", &[]), mib(4096));
    assert_eq!(most("postgres -B 1024 -c work_mem=9GB", &[]), mib(8));
    assert_eq!(most("postgres --shared-buffers=16384", &[]), mib(128));
    assert_eq!(most("bash -Xmx2g", &[]), None);
}

#[test]
fn a_share_is_one_of_the_limit() {
    let share = HeapBound::given(Runtime::Dotnet, Most::Percent(75.0), "");
    assert_eq!(share.bytes(2 * GIB), 3 * GIB / 2);
    let odd = HeapBound::given(Runtime::Node, Most::Percent(f64::NAN), "");
    assert_eq!(odd.bytes(2 * GIB), 0);
}

#[test]
fn java_takes_half_of_little_memory_and_no_more_than_compressed_pointers_reach() {
    let default = bound("java Main", &[]).expect("one");
    let given = bound("java -XX:MaxRAMPercentage=75 Main", &[]).expect("one");
    assert_eq!(default.bytes(200 * MIB), 100 * MIB);
    assert_eq!(given.bytes(200 * MIB), 100 * MIB);
    let flat = default.bytes(400 * MIB);
    assert!(flat > 124 * MIB && flat < 126 * MIB, "{flat}");
    assert_eq!(default.bytes(4 * GIB), GIB);
    assert_eq!(given.bytes(4 * GIB), 3 * GIB);
    assert_eq!(default.bytes(512 * GIB), 32 * GIB);
    assert_eq!(given.bytes(512 * GIB), 384 * GIB);
    let file = bound("java @options Main", &[]).expect("one");
    assert!(file.may_differ && !default.may_differ);
}

proptest! {
    /// Whatever a process was started with.
    #[test]
    fn nothing_panics(
        program in prop::sample::select(vec!["java", "node", "postgres", "dotnet", "x"]),
        arguments in prop::collection::vec(
            prop_oneof![
                ".{0,12}",
                "(-Xmx|-XX:MaxRAMPercentage=|--max-old-space-size=|-B|-c|-c shared_buffers=)[0-9]{0,22}[a-zA-Z]{0,3}",
            ],
            0..6,
        ),
        value in "(0x)?[0-9a-fA-F]{0,20}.{0,4}",
    ) {
        let mut all = vec![program.to_owned()];
        all.extend(arguments);
        let environment = VARIABLES.iter().map(|name| (*name, value.clone())).collect();
        let launch = Launch { arguments: all, is_environment_known: true, environment };
        if let Some(bound) = heap_bound(&launch) {
            let limit = 1 << 30;
            prop_assert!(matches!(bound.most, Most::Bytes(_)) || bound.bytes(limit) <= limit);
        }
    }
}
