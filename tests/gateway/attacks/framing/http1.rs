//! HTTP/1.1: lengths, codings, chunks, names, and what comes with a body or without one.

use super::*;
use crate::support::answer::Answer;

/// What is put around good values to make them another's.
const AROUND: [&str; 16] = [
    "+", "-", "0x", "\"", "'", ",", ";", "_", ".", "\u{b}", "\u{c}", "\u{a0}", "=", ":", "x",
    "\u{661}",
];

#[test]
fn a_length_is_digits_and_comes_once() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut lengths: Vec<String> = Vec::new();
    for around in AROUND {
        lengths.extend([format!("{around}5"), format!("5{around}"), format!("5{around}5")]);
    }
    lengths.extend(
        ["", " 5 0", "5 5", "5, 5", "5,6", "1e1", "five", "0x5", "5_0", "00000000000000000005x"]
            .map(str::to_owned),
    );
    lengths.extend((19..24).map(|digits| "9".repeat(digits)));
    lengths.extend([u64::MAX.to_string(), "18446744073709551621".to_owned(), i64::MAX.to_string()]);

    let mut texts = Vec::new();
    for length in &lengths {
        for name in ["Content-Length", "content-length", "CONTENT-LENGTH"] {
            texts.push(post(&format!("{name}: {length}\r\n"), "hello"));
        }
        texts.push(post(&format!("Content-Length: {length}\r\nContent-Length: 5\r\n"), "hello"));
        texts.push(post(&format!("Content-Length: 5\r\nContent-Length: {length}\r\n"), "hello"));
    }
    for pair in [["5", "5"], ["5", "6"], ["0", "5"], ["5", "05"], ["", "59"]] {
        let [one, two] = pair;
        texts.push(post(
            &format!("Content-Length: {one}\r\nX: y\r\ncontent-length: {two}\r\n"),
            "hello",
        ));
    }
    refused(&gateway, &upstream, &texts, &[400, 413]);
}

#[test]
fn a_coding_is_chunked_and_comes_once() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut values: Vec<String> = Vec::new();
    for around in AROUND {
        values.extend([
            format!("{around}chunked"),
            format!("chunked{around}"),
            format!("chun{around}ked"),
        ]);
    }
    values.extend(
        [
            "",
            " ",
            "identity",
            "gzip",
            "gzip, chunked",
            "chunked, gzip",
            "chunked, chunked",
            "chunked,identity",
            "identity, chunked",
            "xchunked",
            "chunkedx",
            "chunked;q=1",
            "chunked ;",
            "cow",
            "chunked\t,",
            "trailers",
            "ch\u{17f}unked",
            "chunKed chunked",
            "*",
            "deflate,chunked",
            "br",
        ]
        .map(str::to_owned),
    );
    let mut lines: Vec<_> =
        values.iter().map(|value| format!("Transfer-Encoding: {value}")).collect();
    lines.extend(
        [
            "Transfer-Encoding : chunked",
            "Transfer-Encoding\t: chunked",
            " Transfer-Encoding: chunked",
            "\tTransfer-Encoding: chunked",
            "Transfer-Encoding:\r\n chunked",
            "Transfer-Encoding: chun\r\n ked",
            "X: y\nTransfer-Encoding: chunked",
            "X: y\rTransfer-Encoding: chunked",
            "X: y\r\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding\u{b}: chunked",
            "Transfer-Encoding\0: chunked",
            ": x\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\ntransfer-encoding: identity",
            "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 0",
            "Content-Length: 5\r\nX: y\r\ntransfer-ENCODING: CHUNKED",
        ]
        .map(str::to_owned),
    );
    let body = format!("0\r\n\r\n{HIDDEN}");

    let mut texts: Vec<_> = lines.iter().map(|line| post(&format!("{line}\r\n"), &body)).collect();
    for coding in ["chunked", "identity", "gzip", "x"] {
        let text = post(&format!("Transfer-Encoding: {coding}\r\n"), &body);
        texts.push(text.replace("HTTP/1.1", "HTTP/1.0"));
        texts.push(text.replace("HTTP/1.1", "HTTP/1.0").replacen(
            "\r\n",
            "\r\nConnection: keep-alive\r\n",
            1,
        ));
    }
    refused(&gateway, &upstream, &texts, &[400, 501, 505]);
}

#[test]
fn a_name_that_folds_to_one_of_framing_frames_nothing() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut count = 0;

    for name in
        ["Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "TE", "Host"]
    {
        for alias in super::super::spelling::aliases(name) {
            if alias.eq_ignore_ascii_case(name) {
                continue;
            }
            let text = post(&format!("{alias}: chunked\r\nContent-Length: 5\r\n"), "hello");
            assert_eq!(status(&gateway, text), 200, "{alias}");
            count += 1;
        }
    }

    let requests = upstream.requests();
    assert_eq!(requests.len(), count);
    for request in requests {
        assert_eq!(request.text(), "hello");
        assert!(request.headers.iter().all(|(_, value)| value != "chunked"), "{request:?}");
    }
}

#[test]
fn a_chunk_is_framed_in_one_way() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut bodies = Vec::new();
    for around in AROUND.iter().chain(&[" ", "\t", "\0"]) {
        if ![";", "\u{a0}", "\u{661}"].contains(around) {
            bodies.push(format!("5{around}\r\nhello\r\n0\r\n\r\n"));
        }
        bodies.push(format!("{around}5\r\nhello\r\n0\r\n\r\n"));
        bodies.push(format!("5\r\nhello\r\n{around}0\r\n\r\n"));
    }
    for digits in 16..24 {
        bodies.push(format!("{}5\r\nhello\r\n0\r\n\r\n", "f".repeat(digits)));
        bodies.push(format!("1{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(digits)));
        bodies.push(format!("{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(digits)));
    }
    for end in [
        "\n",
        "\r",
        "\r\r\n",
        "\n\r",
        "",
        " \n",
        ";x\n",
        ";\n",
        ";x=\"\n\"\r\n",
        ";x\r",
        ";\rx\r\n",
        "\0\r\n",
    ] {
        bodies.push(format!("5{end}hello\r\n0\r\n\r\n"));
    }
    for end in ["\n", "\r", "", "\n\n", "x\r\n", "\r\r\n", " \r\n", "XX", "\0\n"] {
        bodies.push(format!("5\r\nhello{end}0\r\n\r\n"));
    }
    for end in [
        "0\n\r\n",
        "0\r\n\n",
        "0\n\n",
        "0\r\n\r\r\n",
        "0\r\nX: y\n\r\n",
        "0\r\nX y\r\n\r\n",
        "0\r\n: y\r\n\r\n",
        "0\r\n X: y\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\nX: y\r\n z\r\n\r\n",
        "0x0\r\n\r\n",
        "g\r\n\r\n",
        "-0\r\n\r\n",
    ] {
        bodies.push(format!("5\r\nhello\r\n{end}"));
    }

    for body in &bodies {
        let text = post("Transfer-Encoding: chunked\r\n", &format!("{body}{HIDDEN}"));
        let status = status(&gateway, text);
        assert!(matches!(status, 0 | 400 | 502), "{body:?}: {status}");
    }

    nothing_hidden(&upstream);
    let ended =
        upstream.requests().into_iter().filter(|request| request.complete).collect::<Vec<_>>();
    assert!(ended.is_empty(), "a broken body ended well: {ended:#?}");
}

#[test]
fn a_good_chunked_body_is_framed_anew() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let bodies = [
        "5\r\nhello\r\n0\r\n\r\n",
        "05\r\nhello\r\n000\r\n\r\n",
        "5;x\r\nhello\r\n0;y=z\r\n\r\n",
        "5;x=\"a;b\"\r\nhello\r\n0\r\n\r\n",
        "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX-Forwarded-User: forged\r\nTransfer-Encoding: gzip\r\nContent-Length: 9\r\n\r\n",
    ];

    for body in bodies {
        for coding in ["chunked", "CHUNKED", " \tchunked\t "] {
            let text =
                post(&format!("Transfer-Encoding:{coding}\r\nTrailer: X-Forwarded-User\r\n"), body);
            assert_eq!(status(&gateway, text), 200, "{body:?}");
        }
    }

    nothing_hidden(&upstream);
    for request in upstream.requests() {
        assert_eq!((request.text().as_str(), request.complete), ("hello", true));
        assert_eq!(request.header("trailer"), None);
    }
}

#[test]
fn a_name_of_any_length_is_a_name_or_refused() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for length in [
        255, 256, 257, 269, 270, 271, 4096, 16_384, 32_767, 32_768, 65_535, 65_536, 65_537, 131_072,
    ] {
        for name in ["Content-Length", "Host", "x"] {
            let long = format!("{name}{}", "a".repeat(length - name.len()));
            let text = post(&format!("{long}: 0\r\nContent-Length: 5\r\n"), "hello");
            let status = status(&gateway, text);
            let fits = if length < 32_000 { status == 200 } else { matches!(status, 0 | 431) };
            assert!(fits, "{length}: {status}");
        }
    }

    for request in upstream.requests() {
        assert_eq!(
            (request.text().as_str(), request.header("content-length")),
            ("hello", Some("5"))
        );
    }
}

#[test]
fn a_line_without_a_name_cuts_no_head_short() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut texts = Vec::new();
    for line in [
        ":",
        ": v",
        ":: v",
        " : v",
        "\t: v",
        "\0: v",
        "v",
        "=: v",
        "(): v",
        "\u{e9}: v",
        "a b: v",
        "a\tb: v",
        "\"a\": v",
        "a,b: v",
        "a/b: v",
        "a@b: v",
        "[a]: v",
        "{a}: v",
        "a\\b: v",
        "a?b: v",
        "a<b: v",
    ] {
        texts.push(post(&format!("{line}\r\nContent-Length: 5\r\n"), "hello"));
        texts.push(post(&format!("Content-Length: 5\r\n{line}\r\n"), "hello"));
        texts.push(post(&format!("{line}\r\nTransfer-Encoding: chunked\r\n"), "0\r\n\r\n"));
    }
    refused(&gateway, &upstream, &texts, &[400]);
}

#[test]
fn what_is_expected_is_100_continue_or_nothing() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut texts = Vec::new();
    for expect in [
        "y 100-continue",
        "100-continued",
        "100-continue, x",
        "100-continue,",
        "x, 100-continue",
        "200-ok",
        "100",
        "100-continue;q=1",
        "",
        "\"100-continue\"",
        "100 continue",
        "100_continue",
    ] {
        for framing in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", ""] {
            texts.push(post(&format!("Expect: {expect}\r\n{framing}"), HIDDEN));
        }
    }
    texts.push(post(
        "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n",
        "hello",
    ));
    refused(&gateway, &upstream, &texts, &[417, 400]);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_for_ever() {
    let upstream = TestUpstream::start();
    let limits = "header_timeout = \"1s\"\nbody_idle_timeout = \"1s\"";
    let gateway = TestGateway::before(&upstream).section("limits", limits).start();
    let began = std::time::Instant::now();
    let texts = [
        post("Content-Length: 10\r\n", ""),
        post("Content-Length: 10\r\n", "part"),
        post("Transfer-Encoding: chunked\r\n", ""),
        post("Transfer-Encoding: chunked\r\n", "5"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhel"),
        post("Expect: 100-continue\r\nContent-Length: 10\r\n", ""),
    ];

    std::thread::scope(|scope| {
        for text in &texts {
            let gateway = &gateway;
            scope.spawn(move || {
                let status = status(gateway, text);
                assert!(matches!(status, 0 | 408), "{text:?}: {status}");
            });
        }
    });

    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    assert!(upstream.requests().iter().all(|request| !request.complete));
    assert_eq!(status(&gateway, post("Content-Length: 5\r\n", "hello")), 200);
}

#[test]
fn a_body_belongs_to_its_request_whatever_the_method() {
    let upstream = TestUpstream::answering(|request| {
        let head = Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        if request.method == "HEAD" { head } else { head.then("hello") }
    })
    .start();
    let gateway = gateway(&upstream);
    let chunked = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());

    let methods = ["GET", "HEAD", "OPTIONS", "DELETE", "PROPFIND", "MKCOL", "PUT", "PATCH"];
    for method in methods {
        let mut client = gateway.connect();
        for text in [
            post(&format!("Content-Length: {}\r\n", HIDDEN.len()), HIDDEN),
            post("Transfer-Encoding: chunked\r\n", &chunked),
            post("Content-Length: 0\r\n", ""),
            post("", ""),
        ] {
            client.send(text.replacen("POST", method, 1));
            assert_eq!(client.response_to(method).unwrap().status(), 200, "{method}");
        }
    }

    nothing_hidden(&upstream);
    let requests = upstream.requests();
    assert_eq!(requests.len(), methods.len() * 4);
    for (number, request) in requests.iter().enumerate() {
        let expected = if number % 4 < 2 { HIDDEN } else { "" };
        assert_eq!(request.text(), expected, "{request:?}");
    }
}
