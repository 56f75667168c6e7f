//! A TCP load balancer, as plain as they come: each connection goes to the next server that accepts it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Ends with its connections when it is dropped.
pub struct Balancer {
    pub port: u16,
    servers: Arc<Mutex<Vec<u16>>>,
    /// Always there.
    runtime: Option<Runtime>,
}

impl Balancer {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let servers: Arc<Mutex<Vec<u16>>> = Arc::default();
        runtime.spawn(serve(listener, servers.clone()));
        Self { port, servers, runtime: Some(runtime) }
    }

    /// New connections go to these ports from now on, the first to the first.
    pub fn set(&self, servers: &[u16]) {
        servers.clone_into(&mut self.servers.lock().expect("the servers"));
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // A test that is asynchronous itself may not wait for it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: TcpListener, servers: Arc<Mutex<Vec<u16>>>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(pass(client, servers.clone()));
    }
}

async fn pass(mut client: TcpStream, servers: Arc<Mutex<Vec<u16>>>) -> io::Result<()> {
    let turn = {
        let mut servers = servers.lock().expect("the servers");
        let turn = servers.clone();
        if !servers.is_empty() {
            servers.rotate_left(1);
        }
        turn
    };
    for port in turn {
        let server = tokio::time::timeout(Duration::from_secs(1), TcpStream::connect(("127.0.0.1", port)));
        if let Ok(Ok(mut server)) = server.await {
            tokio::io::copy_bidirectional(&mut client, &mut server).await?;
            break;
        }
    }
    Ok(())
}
