use std::sync::Arc;
use std::time::{Duration, Instant};
use volley_api::*;
use volley_kafka::*;
struct L;
impl RebalanceListener for L {
    fn assigned(&self, p: &Offsets) {
        eprintln!("assigned {}", p.len());
    }
    fn revoked(&self, _: &[TopicPartition]) {}
    fn lost(&self, _: &[TopicPartition]) {}
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<_> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn status(key: &str) -> String {
    std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with(key)).unwrap().to_owned()
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (mode, servers, topic, count, partitions) =
        (&a[1], &a[2], &a[3], a[4].parse::<usize>().unwrap(), a[5].parse::<usize>().unwrap());
    let mut props = ConfigMap::new();
    props.insert("bootstrap.servers".into(), servers.clone());
    for kv in &a[6..] {
        let (k, v) = kv.split_once('=').unwrap();
        if !k.starts_with('_') {
            props.insert(k.into(), v.into());
        }
    }
    let start = Instant::now();
    if mode == "produce" {
        Admin::connect(&props)
            .unwrap()
            .create_topic(&NewTopic {
                name: topic.clone(),
                partitions: partitions as i32,
                replication_factor: 1,
                configs: Default::default(),
            })
            .unwrap();
        props.insert("compression.type".into(), "lz4".into());
        props.insert("linger.ms".into(), "20".into());
        let mut p = Producer::connect(&props).unwrap();
        let mut done = 0;
        for n in 0..count {
            let v = format!(
                "{{\"id\":{n},\"buyer\":\"user{:06}\",\"country\":\"de\",\"amount\":{},\"ok\":true,\"ts\":17000000{:05}}}",
                n * 7919 % 1000000,
                n * 31 % 10000,
                n % 100000
            );
            p.send(
                &Outgoing {
                    topic,
                    partition: Some((n / 100 % partitions) as i32),
                    timestamp: None,
                    key: None,
                    value: Some(v.as_bytes()),
                    headers: &[],
                },
                n as u64,
            )
            .unwrap();
            if n % 4096 == 0 {
                done += p.deliveries(Duration::ZERO).len();
            }
        }
        p.flush(Duration::from_secs(60)).unwrap();
        done += p.deliveries(Duration::ZERO).len();
        assert_eq!(done, count);
    } else {
        props.insert("group.id".into(), format!("g{}", std::process::id()));
        props.insert("auto.offset.reset".into(), "earliest".into());
        let rows = a.iter().find_map(|x| x.strip_prefix("_rows=")).map_or(65536, |x| x.parse().unwrap());
        let s = FetchSettings {
            topics: TopicSelection::Topics(vec![topic.clone()]),
            max_rows: rows,
            max_bytes: 8 << 20,
            linger: Duration::from_millis(200),
        };
        let mut f = Fetcher::connect(&props, s, Arc::new(L)).unwrap();
        if mode == "idle" {
            let t = Instant::now();
            let c = cpu();
            while t.elapsed() < Duration::from_secs(10) {
                f.poll(Duration::from_millis(500)).unwrap();
            }
            println!("idle cpu {:.2} of 10 s, {}", cpu() - c, status("VmRSS"));
            std::process::exit(0);
        }
        let (mut n, mut b, mut first) = (0, 0, None);
        while n < count {
            for x in f.poll(Duration::from_millis(200)).unwrap() {
                first.get_or_insert_with(Instant::now);
                n += x.len();
                b += 1;
                if mode == "stall" && b == 20 {
                    f.pause_all();
                    let t = Instant::now();
                    let c = cpu();
                    while t.elapsed() < Duration::from_secs(4) {
                        f.poll(Duration::from_millis(100)).unwrap();
                    }
                    println!("paused: cpu {:.2}, {}", cpu() - c, status("VmRSS"));
                    f.resume_all();
                }
            }
        }
        println!("{} rows in {} batches; from first batch {:?}", n, b, first.unwrap().elapsed());
        let t = Instant::now();
        f.close();
        println!("close {:?}", t.elapsed());
    }
    println!(
        "{mode} {count}: wall {:?} = {:.0}/s, cpu {:.2} s/M, {}",
        start.elapsed(),
        count as f64 / start.elapsed().as_secs_f64(),
        cpu() * 1e6 / count as f64,
        status("VmHWM")
    );
}
