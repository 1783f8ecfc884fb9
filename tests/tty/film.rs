//! `screenshots/film.svg`: one incident from the first second to its cause, in the real program on the real kernel.
//!
//! `UPDATE_SCREENSHOTS=1 cargo test --test tty film` makes it anew, as root. Otherwise the test checks that it is there.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::memcg::Memcg;
use crate::common::pty::{Launch, Session};
use crate::common::screen::Screen;
use crate::common::{skipped, svg_film};

/// A worker of the shop: takes memory as it is told, under a command line of its own.
const WORKER: &str = r"
    my @held;
    $0 = shift;
    open(my $comm, '>', '/proc/self/comm'); print $comm (split ' ', $0)[0]; close $comm;
    while (<STDIN>) {
        my ($mib, $pause) = split;
        for (1 .. $mib) { push @held, 'x' x 1048576; select(undef, undef, undef, $pause / 1000) if $pause; }
    }
";

struct Worker {
    child: Child,
    orders: ChildStdin,
}

impl Worker {
    fn start(title: &str, group: &Memcg) -> Self {
        let mut child = Command::new("perl")
            .args(["-e", WORKER, title])
            .stdin(Stdio::piped())
            .spawn()
            .expect("perl starts");
        group.add(child.id());
        let orders = child.stdin.take().expect("piped");
        Self { child, orders }
    }

    /// Takes so many MiB, one each `pause` milliseconds.
    fn grow(&mut self, mib: u32, pause: u32) {
        writeln!(self.orders, "{mib} {pause}").expect("the worker takes orders");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Types a key at the speed of a person, so that one who watches can follow.
fn type_slowly(session: &mut Session, keys: &[&str]) {
    for key in keys {
        session.keys(key);
        std::thread::sleep(Duration::from_millis(700));
    }
}

fn pause(seconds: u64) {
    std::thread::sleep(Duration::from_secs(seconds));
}

/// A leak in the shop's orders: the database is protected before the limit is hit, the report that leaks is killed.
fn play(shop: &Memcg) -> (Instant, Vec<(Instant, Screen)>) {
    let (orders, pages) = (shop.child("orders"), shop.child("pages"));
    orders.limit(300 << 20);
    pages.limit(250 << 20);
    let mut database = Worker::start("orders-db --data /var/lib/orders", &orders);
    let mut web = Worker::start("orders-web --workers 4", &orders);
    let mut report = Worker::start("orders-report --month 10 --csv", &orders);
    let mut page = Worker::start("pages --cache 64M", &pages);
    let mut thumbs = Worker::start("thumbs --jobs 2", &pages);
    for (worker, mib) in [
        (&mut database, 120),
        (&mut web, 30),
        (&mut report, 12),
        (&mut page, 70),
        (&mut thumbs, 40),
    ] {
        worker.grow(mib, 0);
    }
    let mut session = Launch::oomtop().size(110, 30).start();
    session.wait_for("the table", |screen| screen.has("orders-db"));
    // The first seconds have no history yet.
    pause(12);
    session.start_recording();
    let begin = Instant::now();
    pause(2);
    report.grow(400, 150);
    pause(4);
    type_slowly(
        &mut session,
        &["/", "o", "r", "d", "e", "r", "s", "-", "d", "b", "<Enter>"],
    );
    type_slowly(&mut session, &["a", "<Up>", "<Up>"]);
    pause(2);
    session.keys("<Enter>");
    pause(1);
    type_slowly(&mut session, &["<Esc>", "<Esc>"]);
    session.wait_for("the kill", |screen| {
        screen.has("orders-report") && screen.has("killed")
    });
    pause(2);
    type_slowly(&mut session, &["e", "<Home>", "<Enter>"]);
    pause(5);
    (begin, session.recorded())
}

#[test]
fn the_film_is_there() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots/film.svg");
    if std::env::var_os("UPDATE_SCREENSHOTS").is_some() {
        let Some(shop) = Memcg::named("shop") else {
            return skipped("the film", "it needs a memory cgroup of its own");
        };
        let (begin, screens) = play(&shop);
        let length = begin.elapsed();
        // Four pictures a second are enough, and a half-drawn frame is none.
        let mut kept: Vec<(Duration, Screen)> = Vec::new();
        for (at, screen) in screens {
            let at = at.saturating_duration_since(begin);
            if kept
                .last()
                .is_some_and(|(last, _)| at.saturating_sub(*last) < Duration::from_millis(120))
            {
                let last = kept.pop().map_or(at, |(last, _)| last);
                kept.push((last, screen));
            } else {
                kept.push((at, screen));
            }
        }
        let film = svg_film::render(
            &kept,
            length,
            "oomtop: a leak, from the first second to its cause",
        );
        std::fs::write(&path, film).expect("the film");
    }
    let film = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        film.starts_with("<svg ") && film.contains("@keyframes"),
        "{} is missing",
        path.display()
    );
}

/// What the film shows at one moment: the texts outside groups, and those of the groups whose span holds it.
fn shown_at(film: &str, at: f64) -> String {
    let (css, body) = film.split_once("</style>").expect("a style");
    let is_visible = |name: &str| {
        let steps = css
            .split_once(&format!("@keyframes k{name}{{"))
            .expect("its keyframes")
            .1;
        let steps = steps.split_once("}}").expect("their end").0;
        let mut before = steps.split('}').filter_map(|step| {
            let (percent, word) = step.split_once("%{visibility:")?;
            (percent.parse::<f64>().ok()? <= at).then_some(word)
        });
        before.next_back() == Some("visible")
    };
    let mut texts = Vec::new();
    let mut hidden = false;
    for line in body.lines() {
        if let Some(name) = line.strip_prefix("<g class=\"s") {
            hidden = !is_visible(name.trim_end_matches("\">"));
        } else if line == "</g>" {
            hidden = false;
        } else if let (false, Some(text)) = (hidden, line.strip_suffix("</text>")) {
            let (head, text) = text.rsplit_once('>').expect("a tag");
            let place = |name: &str| {
                let value = head.split_once(&format!(" {name}=\"")).expect("a place").1;
                value
                    .split_once('"')
                    .expect("its end")
                    .0
                    .parse::<f64>()
                    .expect("a number")
            };
            texts.push((place("y"), place("x"), text.to_owned()));
        }
    }
    texts.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).expect("numbers"));
    texts.into_iter().map(|(_, _, text)| text).collect()
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(40))]
    #[test]
    fn the_film_shows_at_each_moment_the_screen_of_that_moment(
        screens in proptest::collection::vec(proptest::collection::vec("[a-c ]{0,24}", 3), 1..6)
    ) {
        let at = |n: usize| Duration::from_secs(u64::try_from(n).expect("few"));
        let length = at(screens.len());
        let shots: Vec<_> = screens.iter().enumerate().map(|(n, lines)| {
            let cells = |n| std::num::NonZeroU16::new(n).expect("not zero");
            let mut parser = vt100::Parser::new(cells(3), cells(24), 0);
            parser.process(lines.join("\r\n").as_bytes());
            (at(n), Screen(parser.screen().clone()))
        }).collect();
        let film = svg_film::render(&shots, length, "");
        // Without what is before the cells.
        let (head, cells) = film.split_once("<g transform").expect("the cells");
        let style = head.split_once("</style>").expect("a style").0;
        let film = format!("{style}</style>\n{}", cells.split_once('\n').expect("lines").1);
        for (n, (_, screen)) in shots.iter().enumerate() {
            let share = (f64::from(u32::try_from(n).expect("few")) + 0.5) / length.as_secs_f64() * 100.0;
            let wanted: String = screen.text().chars().filter(|c| !c.is_whitespace()).collect();
            proptest::prop_assert_eq!(shown_at(&film, share), wanted);
        }
    }
}
