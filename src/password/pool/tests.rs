use std::net::Ipv4Addr;

use super::*;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn settings(workers: usize, queue: usize, queue_per_address: usize) -> PoolSettings {
    PoolSettings { workers, queue, queue_per_address }
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn fast() -> Arc<PasswordHash> {
    Arc::new(PasswordHash::plaintext(b"right").unwrap())
}

/// Some 50 ms in any build.
fn slow() -> Arc<PasswordHash> {
    let text = "$2b$09$ijo7V1bsfuVqz3LqmG2gpem8X/mu9.uTa0JS0KSrEPvNt2zc1/q3O";
    Arc::new(PasswordHash::parse(text, crate::password::Limits::default()).unwrap())
}

#[tokio::test]
async fn right_and_wrong_passwords_are_told_apart() {
    let pool = Pool::new(settings(2, 8, 8)).unwrap();

    assert_eq!(pool.verify(ADDRESS, fast(), secret("right")).await, Ok(true));
    assert_eq!(pool.verify(ADDRESS, fast(), secret("wrong")).await, Ok(false));

    let status = pool.status();
    assert_eq!((status.done, status.queued, status.running, status.refused), (2, 0, 0, 0));
}

#[tokio::test]
async fn one_source_does_not_fill_the_queue() {
    let pool = Pool::new(settings(1, 8, 2)).unwrap();

    let flood: Vec<_> = (0..20).map(|_| pool.verify(ADDRESS, slow(), secret("wrong"))).collect();
    let other = pool.verify(IpAddr::from([192, 0, 2, 1]), fast(), secret("right"));
    let (flood, other) = tokio::join!(join_all(flood), other);

    assert_eq!(other, Ok(true));
    let refused = flood.iter().filter(|result| **result == Err(PoolError::AddressFull)).count();
    assert!(refused >= 17, "{refused} refused");
    assert_eq!(pool.status().refused, u64::try_from(refused).unwrap());
}

#[tokio::test]
async fn who_goes_away_is_not_computed_for() {
    let pool = Pool::new(settings(1, 8, 8)).unwrap();
    let mut waiting: Vec<_> =
        (0..4).map(|_| Box::pin(pool.verify(ADDRESS, slow(), secret("wrong")))).collect();
    for future in &mut waiting {
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(future.as_mut().poll(context).is_pending())
        });
        assert!(polled.await);
    }
    drop(waiting);

    assert_eq!(pool.verify(ADDRESS, fast(), secret("right")).await, Ok(true));

    let status = pool.status();
    assert!(status.cancelled >= 3, "{status:?}");
    assert!(status.done <= 2, "{status:?}");
}

#[tokio::test]
async fn dropping_the_pool_answers_those_who_wait() {
    let pool = Pool::new(settings(1, 8, 8)).unwrap();
    let shared = Arc::clone(&pool.shared);
    let mut answers = Vec::new();
    for _ in 0..3 {
        let (reply, answer) = oneshot::channel();
        shared.submit(ADDRESS, Job { hash: slow(), password: secret("x"), reply }).unwrap();
        answers.push(answer);
    }

    drop(pool);

    let mut stopped = 0;
    for answer in answers {
        stopped += usize::from(!matches!(answer.await, Ok(Ok(_))));
    }
    assert!(stopped >= 2);
    assert_eq!(Arc::strong_count(&shared), 1, "all threads have ended");
}

#[test]
fn there_is_always_a_worker() {
    assert_eq!(worker_count(3), 3);
    assert!(worker_count(0) >= 1);
}

async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
