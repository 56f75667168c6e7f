//! For tests: a PostgreSQL server of their own, one for all tests of a program, and a database in it for
//! each. It ends with the program, however that ends.

#[path = "../../../tests/support/postgres.rs"]
mod postgres;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use self::postgres::PASSWORD;
use self::postgres::Postgres;
use super::connect::Address;
use crate::base::config::{CloudServer, Database};
use crate::base::secret::Secret;
use crate::store::Store;

/// Runs `test` with its tables in SQLite, then in PostgreSQL.
pub fn both(test: impl Fn(&Store)) {
    for settings in [CloudServer::default(), Server::common().database()] {
        let dir = tempfile::tempdir().unwrap();
        test(&Store::open_shared(dir.path(), &settings).unwrap());
    }
}

/// Ended when it is dropped.
pub struct Server(Postgres);

impl Server {
    pub fn common() -> &'static Self {
        static COMMON: OnceLock<Server> = OnceLock::new();
        COMMON.get_or_init(Self::start_new)
    }

    /// One that may be stopped.
    pub fn start_new() -> Self {
        Self(Postgres::new())
    }

    pub fn start(&self) {
        self.0.start();
    }

    pub fn stop(&self) {
        self.0.stop();
    }

    /// A new database, reached without TLS.
    pub fn database(&self) -> CloudServer {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.0.create(&name);
        self.settings(&name)
    }

    /// Carries out `statements` in the database `name`, behind the store's back.
    pub fn admin(&self, name: &str, statements: &str) {
        let address = Address::new(&self.settings(name)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = address.dial().await.unwrap();
            client.batch_execute(statements).await.unwrap();
        });
    }

    /// Those with which the server's certificate is found good.
    pub fn with_tls(&self, settings: &CloudServer) -> CloudServer {
        let mut settings = settings.clone();
        settings.database.tls = true;
        settings.database_ca = self.0.certificate();
        settings
    }

    fn settings(&self, name: &str) -> CloudServer {
        let database = Database {
            host: "127.0.0.1".into(),
            port: self.0.port(),
            name: name.into(),
            user: "h5edge".into(),
            password: Secret::new(PASSWORD),
            tls: false,
        };
        CloudServer { database, ..CloudServer::default() }
    }
}
