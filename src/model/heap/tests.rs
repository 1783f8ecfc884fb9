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
    assert!(bound("dotnet web.dll", &[]).expect("one").is_default);
    assert_eq!(
        most("redis-server --port 1 --maxmemory 2gb", &[]),
        mib(2048)
    );
    assert_eq!(
        most("redis-server --maxmemory 1m", &[]),
        Some(Most::Bytes(1_000_000))
    );
    assert_eq!(most("redis-server --maxmemory 0", &[]), None, "no bound");
    assert_eq!(most("postgres -D /d -c shared_buffers=4GB", &[]), mib(4096));
    assert_eq!(most("postgres -B 1024 -c work_mem=9GB", &[]), mib(8));
    assert_eq!(most("postgres --shared-buffers=16384", &[]), mib(128));
    assert_eq!(most("bash -Xmx2g", &[]), None);
}

#[test]
fn a_share_is_one_of_the_limit() {
    let share = HeapBound::given(Runtime::Java, Most::Percent(75.0), "");
    assert_eq!(share.bytes(2 * GIB), 3 * GIB / 2);
    let odd = HeapBound::given(Runtime::Java, Most::Percent(f64::NAN), "");
    assert_eq!(odd.bytes(2 * GIB), 0);
}

proptest! {
    /// Whatever a process was started with.
    #[test]
    fn nothing_panics(
        program in prop::sample::select(vec!["java", "node", "redis-server", "postgres", "dotnet", "x"]),
        arguments in prop::collection::vec(
            prop_oneof![
                ".{0,12}",
                "(-Xmx|-XX:MaxRAMPercentage=|--max-old-space-size=|--maxmemory|-B|-c|-c shared_buffers=)[0-9]{0,22}[a-zA-Z]{0,3}",
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
            prop_assert!(!bound.source.is_empty() || bound.bytes(1 << 30) == 0);
        }
    }
}
