//! Calls through the gateway whose UEs have TLS or DTLS.

use core::{net::SocketAddr, time::Duration};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    thread,
};

use crate::edge_gateway_support::{
    Ended, Running, TIMEOUT, description, folder, put, sdp, start, udp,
};
use crate::tls_ue::{Ue, accept, connect, listener};

/// Both directions of a TLS connection in one thread: writes what it takes, reads what is there.
pub(crate) struct Duplex(pub(crate) openssl::ssl::SslStream<TcpStream>);

impl Duplex {
    pub(crate) fn exchange(&mut self, said: &[u8], expected: &[u8]) -> bool {
        self.0.get_ref().set_nonblocking(true).unwrap();
        let (mut sent, mut heard, begin) = (0, Vec::new(), std::time::Instant::now());
        let mut chunk = vec![0; 65_536];
        while sent < said.len() || heard.len() < expected.len() {
            assert!(
                begin.elapsed() < TIMEOUT,
                "{sent} sent, {} heard",
                heard.len()
            );
            let mut idle = true;
            if sent < said.len() {
                // The same octets again after a write that has to wait.
                if let Ok(taken) = self.0.write(&said[sent..(sent + 4096).min(said.len())]) {
                    (sent, idle) = (sent + taken, false);
                }
            }
            if let Ok(len @ 1..) = self.0.read(&mut chunk) {
                heard.extend_from_slice(&chunk[..len]);
                idle = false;
            }
            if idle {
                thread::sleep(Duration::from_micros(200));
            }
        }
        self.0.get_ref().set_nonblocking(false).unwrap();
        heard == expected
    }
}

/// An MSRP or BFCP stream through the gateway.
pub(crate) struct Tcp {
    pub(crate) running: Option<Running>,
    pub(crate) listener: TcpListener,
    core_listens: bool,
    pub(crate) ue_listener: TcpListener,
    pub(crate) to_ue: String,
    pub(crate) gateway_ue: SocketAddr,
    pub(crate) gateway_core: SocketAddr,
}

impl Tcp {
    /// The UE offers with the first `a=setup`, the core answers with the second.
    pub(crate) fn originating(
        test: &str,
        kind: [&str; 2],
        ue: &Ue,
        setup: [&str; 2],
        arguments: &[&str],
    ) -> Self {
        Self::begin(
            test,
            kind,
            ue,
            setup,
            arguments,
            [
                "1_from_ue.sdp",
                "2_to_core.sdp",
                "3_from_core.sdp",
                "4_to_ue.sdp",
            ],
        )
    }

    /// The core offers with the second `a=setup`, the UE answers with the first.
    pub(crate) fn terminating(
        test: &str,
        kind: [&str; 2],
        ue: &Ue,
        setup: [&str; 2],
        arguments: &[&str],
    ) -> Self {
        Self::begin(
            test,
            kind,
            ue,
            setup,
            arguments,
            [
                "3_from_ue.sdp",
                "4_to_core.sdp",
                "1_from_core.sdp",
                "2_to_ue.sdp",
            ],
        )
    }

    fn begin(
        test: &str,
        [media, protocol]: [&str; 2],
        ue: &Ue,
        [ue_setup, core_setup]: [&str; 2],
        arguments: &[&str],
        [from_ue, to_core, from_core, to_ue]: [&str; 4],
    ) -> Self {
        let folder = folder(test);
        let ((ue_listener, ue_port), (listener, core_port)) = (listener(), listener());
        let ue_sdp = sdp(&format!(
            "m={media} {ue_port} TCP/TLS/{protocol} *\na=setup:{ue_setup}\n{}a=3ge2ae:requested\n",
            ue.line()
        ));
        let core_sdp = sdp(&format!(
            "m={media} {core_port} TCP/{protocol} *\na=setup:{core_setup}\n"
        ));
        let [first, second] = if from_ue.starts_with('1') {
            [(from_ue, ue_sdp), (from_core, core_sdp)]
        } else {
            [(from_core, core_sdp), (from_ue, ue_sdp)]
        };
        put(&folder, first.0, &first.1);
        let running = start(
            &folder,
            &[&["--exchange", ".", "--seconds", "60"], arguments].concat(),
        );
        running.message(if from_ue.starts_with('1') {
            to_core
        } else {
            to_ue
        });
        running.put(second.0, &second.1);
        running.message(if from_ue.starts_with('1') {
            to_ue
        } else {
            to_core
        });
        Self {
            to_ue: description(&running.message(to_ue)).to_owned(),
            gateway_ue: running.receives(to_ue)[0].unwrap().media,
            gateway_core: running.receives(to_core)[0].unwrap().media,
            running: Some(running),
            listener,
            core_listens: core_setup == "passive",
            ue_listener,
        }
    }

    /// The connection at the core.
    pub(crate) fn core(&self) -> TcpStream {
        if self.core_listens {
            accept(&self.listener)
        } else {
            connect(self.gateway_core)
        }
    }

    pub(crate) fn ended(&mut self) -> Ended {
        self.running.take().unwrap().ended()
    }

    pub(crate) fn bye(&mut self) -> Ended {
        self.running.take().unwrap().bye()
    }
}

/// Two MSRP streams of one dialogue.
pub(crate) struct Streams {
    pub(crate) running: Running,
    pub(crate) gateway: [SocketAddr; 2],
    pub(crate) to_ue: String,
    _listeners: [TcpListener; 2],
}

impl Streams {
    pub(crate) fn begin(test: &str, ues: [&Ue; 2]) -> Self {
        let folder = folder(test);
        let (one, other) = (listener(), listener());
        let offer = ues.map(|ue| {
            let line = ue.line();
            format!("m=message 9 TCP/TLS/MSRP *\na=setup:active\n{line}a=3ge2ae:requested\n")
        });
        let answer =
            [one.1, other.1].map(|port| format!("m=message {port} TCP/MSRP *\na=setup:passive\n"));
        put(&folder, "1_from_ue.sdp", &sdp(&offer.concat()));
        put(&folder, "3_from_core.sdp", &sdp(&answer.concat()));
        let running = start(&folder, &["--exchange", ".", "--seconds", "60"]);
        let to_ue = running.message("4_to_ue.sdp");
        let receives = running.receives("4_to_ue.sdp");
        Self {
            running,
            gateway: [receives[0], receives[1]].map(|remote| remote.unwrap().media),
            to_ue,
            _listeners: [one.0, other.0],
        }
    }
}

/// A fax through the gateway.
pub(crate) struct Fax {
    pub(crate) running: Option<Running>,
    pub(crate) ue: UdpSocket,
    pub(crate) core: UdpSocket,
    pub(crate) to_ue: String,
    pub(crate) gateway_ue: SocketAddr,
    pub(crate) gateway_core: SocketAddr,
}

impl Fax {
    pub(crate) fn begin(test: &str, ue: &Ue, ue_is_client: bool) -> Self {
        Self::answered(test, ue, ue_is_client, &[], "")
    }

    /// With these headers before the core's answer.
    pub(crate) fn answered(
        test: &str,
        ue: &Ue,
        ue_is_client: bool,
        arguments: &[&str],
        headers: &str,
    ) -> Self {
        let folder = folder(test);
        let (socket, core) = (udp(), udp());
        let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
        let setup = if ue_is_client { "actpass" } else { "passive" };
        put(
            &folder,
            "1_from_ue.sdp",
            &sdp(&format!(
                "m=image {} UDP/TLS/UDPTL t38\na=setup:{setup}\na=3ge2ae:requested\n{}",
                port(&socket),
                ue.line()
            )),
        );
        let answer = headers.to_owned() + &sdp(&format!("m=image {} udptl t38\n", port(&core)));
        put(&folder, "3_from_core.sdp", &answer);
        let running = start(
            &folder,
            &[&["--exchange", ".", "--seconds", "60"], arguments].concat(),
        );
        let gateway_ue = running.receives("4_to_ue.sdp")[0].unwrap().media;
        socket.connect(gateway_ue).unwrap();
        Self {
            ue: socket,
            core,
            to_ue: running.message("4_to_ue.sdp"),
            gateway_ue,
            gateway_core: running.receives("2_to_core.sdp")[0].unwrap().media,
            running: Some(running),
        }
    }

    pub(crate) fn ended(&mut self) -> Ended {
        self.running.take().unwrap().ended()
    }

    pub(crate) fn bye(&mut self) -> Ended {
        self.running.take().unwrap().bye()
    }
}
