//! Opening a PostgreSQL: its tables, and who is believed to be it.

use std::fs;

use doorward::store::OpenError;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use super::away::expect_back;
use super::place::{Node, TIMEOUT};
use crate::support::files::Authority;
use crate::support::postgres::TestPostgres;

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_make_the_tables_once() {
    let Some(server) = TestPostgres::start() else { return };
    let mut nodes = JoinSet::new();
    for _ in 0..5 {
        let address = server.address();
        nodes.spawn(async move { Node::try_postgres(&address, None, TIMEOUT).await });
    }

    let nodes = nodes.join_all().await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();

    for node in nodes {
        expect_back(&node).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_a_newer_version_has_made_are_refused() {
    let Some(server) = TestPostgres::start() else { return };
    drop(Node::postgres(&server, TIMEOUT).await);
    let (client, connection) = tokio_postgres::connect(&server.address(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let newer = "INSERT INTO refinery_schema_history VALUES \
                 (7, 'what_comes', '2030-01-01T00:00:00Z', '1')";
    client.batch_execute(newer).await.unwrap();

    let refused = Node::try_postgres(&server.address(), None, TIMEOUT).await;

    assert!(matches!(refused, Err(OpenError::Newer { found: 7, known: 1 })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_on_the_disk_even_where_the_server_would_not_wait_for_it() {
    let Some(server) = TestPostgres::start() else { return };
    let (client, connection) = tokio_postgres::connect(&server.address(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("ALTER SYSTEM SET synchronous_commit = off").await.unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let node = Node::postgres(&server, TIMEOUT).await;
    // A trigger tells how it was set when something was written.
    let trigger = "CREATE TABLE noted (setting text); \
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        INSERT INTO noted VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$; \
        CREATE TRIGGER note BEFORE INSERT ON families FOR EACH ROW EXECUTE FUNCTION note()";
    client.batch_execute(trigger).await.unwrap();

    node.begin("alice").await;

    let row = client.query_one("SELECT setting FROM noted", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "on");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_only_the_right_server_is_believed() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue(&["localhost"]);
    let Some(server) = TestPostgres::with_tls(&certificate, &key) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (right, wrong) = (folder.path().join("right.pem"), folder.path().join("wrong.pem"));
    fs::write(&right, authority.pem()).unwrap();
    fs::write(&wrong, other.pem()).unwrap();
    let address = |host: &str, mode: &str| {
        format!("postgres://doorward@{host}:{}/postgres?sslmode={mode}", server.port())
    };

    for mode in ["require", "verify-full"] {
        let node = Node::try_postgres(&address("localhost", mode), Some(&right), TIMEOUT).await;
        expect_back(&node.unwrap()).await;
    }

    for (host, authorities) in [("localhost", &wrong), ("127.0.0.1", &right)] {
        let address = address(host, "require");
        let refused = Node::try_postgres(&address, Some(authorities), TIMEOUT).await;
        assert!(matches!(refused, Err(OpenError::Unreachable(_))), "{host}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_tls_is_asked_for_there_is_no_falling_back() {
    let Some(server) = TestPostgres::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let authorities = folder.path().join("authorities.pem");
    fs::write(&authorities, Authority::new().pem()).unwrap();
    let address = format!("{}?sslmode=require", server.address());

    let refused = Node::try_postgres(&address, Some(&authorities), TIMEOUT).await;

    assert!(matches!(refused, Err(OpenError::Unreachable(_))), "{refused:?}");
}
