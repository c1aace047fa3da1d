//! A PostgreSQL of its own that is stopped and started, that takes nothing in, that wants certificates.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::program::{Home, ended, eventually};
use crate::pty::Pty;

const AWHILE: Duration = Duration::from_secs(30);

/// A server that a test may stop; gone when dropped.
pub struct Server {
    folder: tempfile::TempDir,
    port: u16,
}

/// `program` of the server, as the user who may run it: it refuses to run as root.
fn tool(program: &str) -> Command {
    let bin = std::env::var("ZHIBAN_TEST_PG_BIN").expect("ZHIBAN_TEST_PG_BIN is not set: run ./tests/run");
    let program = Path::new(&bin).join(program);
    let mut command = if rustix::process::getuid().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Server {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        if rustix::process::getuid().is_root() {
            assert!(Command::new("chown").arg("postgres").arg(folder.path()).status().expect("chown").success());
        }
        let init = tool("initdb")
            .arg("-D")
            .arg(folder.path().join("data"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            .status();
        assert!(init.expect("initdb").success());
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("port").port();
        Self { folder, port }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn start(&self) {
        let options = format!(
            "-k {} -c listen_addresses=127.0.0.1 -p {} -c fsync=off -c full_page_writes=off",
            self.folder.path().display(),
            self.port
        );
        let started = tool("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .args(["-w", "-l"])
            .arg(self.folder.path().join("log"))
            .args(["-o", &options, "start"])
            .status();
        assert!(started.expect("pg_ctl").success(), "{:?}", std::fs::read_to_string(self.folder.path().join("log")));
    }

    pub fn stop(&self) {
        _ = tool("pg_ctl").arg("-D").arg(self.data()).args(["-m", "fast", "-w", "stop"]).status();
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = tool("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).status();
    }
}

#[test]
fn stopped_and_started_under_a_live_console() {
    let server = Server::new();
    server.start();
    let home = Home::with(&server.url());
    home.write("config/zhiban/config.toml", "[health]\ninterval = \"1s\"\n");
    home.json(&["ticket", "new", "--title", "before the loss"]);
    let mut serve = home.command(&["serve", "--listen", "127.0.0.1:0"]).spawn().expect("started");
    let mut agent = home.command(&["agent"]).spawn().expect("started");
    let mut pty = Pty::open(&home, (120, 36), &["--tab", "tickets"]);
    pty.wait_for("before the loss");
    pty.keys("r");
    pty.wait_for("enter send");
    pty.keys("typed before");
    pty.wait_for("typed before");
    let bright = |pty: &Pty| pty.look(|s| s.cell(3, 20).map(|c| c.fgcolor()));
    let colours = bright(&pty);

    server.stop();
    pty.wait("the loss is told", |s| s.to_lowercase().contains("store lost"));
    assert!(pty.screen().contains("typed before"), "the draft stays\n{}", pty.screen());
    // its age runs
    let first = pty.screen();
    pty.wait("the age runs", |s| *s != first && s.to_lowercase().contains("store lost"));
    // sent while there is no store: told, and kept
    pty.keys(" and sent too soon\r");
    pty.wait_for("what you typed is kept");
    pty.wait("what is known stays on the screen", |s| s.contains("before the loss"));
    // a command says so and why; the service and the agent go on
    let out = home.run(&["ticket", "list"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(out.stderr.contains("cannot be reached") && out.stderr.contains("refused"), "{out:?}");
    assert!(serve.try_wait().expect("waited").is_none() && agent.try_wait().expect("waited").is_none());
    pty.keys("\x1b");
    _ = colours;

    server.start();
    let back = pty.wait("the store is back", |s| !s.to_lowercase().contains("store lost"));
    println!("back after {back:?}");
    pty.keys("r");
    pty.wait_for("typed before and sent too soon");
    pty.keys("\r");
    eventually("the reply in the store", AWHILE, || {
        home.run(&["ticket", "show", "1"]).stdout.contains("typed before and sent too soon").then_some(())
    });
    // it lives again: a change of another process reaches it
    home.json(&["ticket", "new", "--title", "after the loss"]);
    pty.wait_for("after the loss");
    assert_eq!(pty.quit(), 0);
    home.journal_rows();
    // the agent stores again, what it kept first
    let samples = || home.json(&["host", "list"]).as_array().map_or(0, Vec::len);
    eventually("samples", AWHILE, || (samples() > 0).then_some(()));
    for child in [&mut serve, &mut agent] {
        assert!(child.try_wait().expect("waited").is_none(), "it survived");
        rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM)
            .expect("signal");
        assert_eq!(ended(child, AWHILE), 0);
    }
}

/// Passes bytes on to a server until it is told to swallow them.
struct Swallower {
    port: u16,
    swallow: Arc<AtomicBool>,
}

impl Swallower {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("port").port();
        let swallow = Arc::new(AtomicBool::new(false));
        let told = swallow.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let upstream = TcpStream::connect(("127.0.0.1", server)).expect("server");
                for (from, to) in
                    [(client.try_clone().expect("clone"), upstream.try_clone().expect("clone")), (upstream, client)]
                {
                    let told = told.clone();
                    std::thread::spawn(move || pass(from, to, &told));
                }
            }
        });
        Self { port, swallow }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, swallow: &AtomicBool) {
    let mut buffer = [0; 16_384];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if !swallow.load(Ordering::SeqCst) && to.write_all(&buffer[..n]).is_err() {
            return;
        }
    }
}

#[test]
fn a_network_that_swallows_everything_is_noticed() {
    let server = Server::new();
    server.start();
    let between = Swallower::before(server.port);
    let home = Home::with(&format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", between.port));
    home.json(&["ticket", "new", "--title", "before the silence"]);
    let mut pty = Pty::open(&home, (120, 36), &["--tab", "tickets"]);
    pty.wait_for("before the silence");
    between.swallow.store(true, Ordering::SeqCst);
    let noticed = pty.wait("the silence is told", |s| s.to_lowercase().contains("store lost"));
    println!("noticed after {noticed:?}");
    assert!(noticed < Duration::from_secs(15), "{noticed:?}");
    assert_eq!(pty.quit(), 0);
    let out = home.run(&["ticket", "list"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(out.stderr.contains("no answer in time"), "{out:?}");
}

fn openssl(folder: &Path, args: &[&str]) {
    let out = Command::new("openssl").current_dir(folder).args(args).output().expect("openssl");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn encrypted_and_only_to_the_right_server() {
    let certs = tempfile::tempdir().expect("folder");
    let at = |name: &str| certs.path().join(name).display().to_string();
    for ca in ["ca", "other"] {
        openssl(
            certs.path(),
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
                "-subj",
                &format!("/CN={ca}"),
                "-keyout",
                &format!("{ca}.key"),
                "-out",
                &format!("{ca}.pem"),
                "-addext",
                "basicConstraints=critical,CA:TRUE",
            ],
        );
    }
    openssl(
        certs.path(),
        &[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
        ],
    );
    std::fs::write(certs.path().join("ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        .expect("written");
    openssl(
        certs.path(),
        &[
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "ext",
            "-out",
            "server.pem",
        ],
    );
    let server = Server::new();
    for (from, to) in [("server.pem", "server.crt"), ("server.key", "server.key")] {
        std::fs::copy(at(from), server.data().join(to)).expect("copied");
    }
    assert!(Command::new("chmod").arg("600").arg(server.data().join("server.key")).status().expect("chmod").success());
    if rustix::process::getuid().is_root() {
        let chown = Command::new("chown")
            .arg("postgres")
            .args([server.data().join("server.key"), server.data().join("server.crt")])
            .status();
        assert!(chown.expect("chown").success());
    }
    let mut conf = std::fs::read_to_string(server.data().join("postgresql.conf")).expect("read");
    conf.push_str("\nssl = on\n");
    std::fs::write(server.data().join("postgresql.conf"), conf).expect("written");
    std::fs::write(server.data().join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n")
        .expect("written");
    server.start();
    let home = Home::with("");
    let store = |host: &str, query: &str| format!("postgres://postgres@{host}:{}/postgres?{query}", server.port);
    let info = |url: &str| home.run(&["store", "info", "--json", "--store", url]);
    let require = info(&store("localhost", "sslmode=require"));
    assert_eq!(require.json()["transport_protected"], true);
    let verified = info(&store("localhost", &format!("sslmode=verify-full&sslrootcert={}", at("ca.pem"))));
    assert_eq!(verified.json()["schema_version"], require.json()["schema_version"]);
    for (url, what) in [
        (store("localhost", &format!("sslmode=verify-full&sslrootcert={}", at("other.pem"))), "sslrootcert"),
        (store("localhost", "sslmode=verify-full"), "sslrootcert"),
        (store("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={}", at("ca.pem"))), "certificate"),
        (store("localhost", "sslmode=disable"), "no encryption"),
        (store("localhost", &format!("sslmode=verify-full&sslrootcert={}", at("missing.pem"))), "missing.pem"),
    ] {
        let out = info(&url);
        assert_eq!(out.code, 3, "{url}: {out:?}");
        let error = out.error()["error"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains(what), "{url}: {error}");
    }
}
