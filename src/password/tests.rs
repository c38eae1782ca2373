//! Vectors of each family, made with the reference tools as the comments say, or published.

use proptest::prelude::*;

use super::*;

const HORSE: &str = "correct horse";
const A40: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B72: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

#[rustfmt::skip]
const VECTORS: &[(Family, &str, &str)] = &[
    // openssl passwd -apr1 -salt Xq9k2LmZ 'correct horse' (OpenSSL 3.0)
    (Family::Apr1, HORSE, "$apr1$Xq9k2LmZ$kZco098TPl0CRNJBA6mub."),
    // openssl passwd -apr1 -salt a 'é'
    (Family::Apr1, "é", "$apr1$a$LbjGGhhl3sCMLa.cVhJF4/"),
    // openssl passwd -apr1 -salt saltsalt aaaa… (40 times)
    (Family::Apr1, A40, "$apr1$saltsalt$rZagTfmjq8/GV9GrpJcIJ0"),
    // htpasswd -nbm u 'correct horse' (Apache 2.4)
    (Family::Apr1, HORSE, "$apr1$Bk/saZ9a$kslOJyW6eMG3YjGiOaHl20"),
    // passlib 1.7.4: apr_md5_crypt.using(salt='').hash('correct horse')
    (Family::Apr1, HORSE, "$apr1$$Kk3FVxmBymAi8nmLHdg0s/"),
    // Apache's documentation, "Password Formats": myPassword
    (Family::Apr1, "myPassword", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"),
    (Family::Sha1, "myPassword", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="),
    (Family::Bcrypt, "myPassword", "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"),
    // openssl passwd -5 -salt saltstring 'correct horse'
    (Family::Sha256Crypt, HORSE, "$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC"),
    // mkpasswd -m sha-256 -R 1000 -S roundssalt 'correct horse' (whois 5.5)
    (Family::Sha256Crypt, HORSE, "$5$rounds=1000$roundssalt$LKZu27XoDXGcrbp3y4kxQo8HDGwS26V8GbkHP7DNkDC"),
    // passlib: sha256_crypt.using(rounds=1234, salt='').hash('correct horse')
    (Family::Sha256Crypt, HORSE, "$5$rounds=1234$$.HV8UYsn/FSKYvhksA33XPVB9rWhGrC4crY5U8zD9SA"),
    // htpasswd -nb2 u 'correct horse'
    (Family::Sha256Crypt, HORSE, "$5$XDjjqGwrEbLSJzIr$Q92QbtcZSvIXwaLsN0T1Wyewn7nEWMiQkFKHO99p7O0"),
    // Drepper's specification, checked with openssl passwd
    (Family::Sha256Crypt, "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    (Family::Sha512Crypt, "Hello world!", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"),
    // openssl passwd -6 -salt saltstring 'correct horse'
    (Family::Sha512Crypt, HORSE, "$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/"),
    // openssl passwd -6 -salt e 'é'
    (Family::Sha512Crypt, "é", "$6$e$gWdlf1k0ZV0RsGv/u.Q6/8xTZwbQ/tQfG5p4kTVJuL6S3IvIPMXxhIhuqkK.2gj6Ln80piC2IbP8M.IvJHwiE."),
    // mkpasswd -m sha-512 -R 10000 -S roundssalt 'correct horse'
    (Family::Sha512Crypt, HORSE, "$6$rounds=10000$roundssalt$O0WriRujPUa.33P8D/dMvWOvDUIT0yDl4eaR.1sQFbCg/YwCn2hw.HP29aRvn6Ham.n2BzfrUf2xPsCTp7AtV0"),
    // htpasswd -nb5 u 'correct horse'
    (Family::Sha512Crypt, HORSE, "$6$Fl7dF/GxgkJwladD$ytjSa9UcIub4904wzafCqsT0tOtr1TwVwmdUSOjJiBGaG28.UN18.5do7h0m0hMT7JLyhp0G4ltzCd8tYGtES/"),
    // htpasswd -nbB -C 5 u 'correct horse'
    (Family::Bcrypt, HORSE, "$2y$05$QDVjM2R36AAJU/uUDxgVYuUkK/9Pzit/A4rXs/G2IrzUrqGMowjnS"),
    // htpasswd -nbB -C 4 u bbbb… (72 times)
    (Family::Bcrypt, B72, "$2y$04$EFoKPI1TfaVS7TAvkGt2H.tTJBHAfA90O8y67dueyVraWHiv.tQqG"),
    // mkpasswd -m bcrypt -R 4; mkpasswd -m bcrypt-a -R 4
    (Family::Bcrypt, HORSE, "$2b$05$ORLR72v.zTLCABAv7f.Z0eHEGzmIEKaw3t3tSSQT9Q3/xn0gTtlM6"),
    (Family::Bcrypt, HORSE, "$2a$05$R/p95q0acVix1CDyJCFLH..LEUt4mLbVSHQx9I6uwaZBAfjdNeUw6"),
    // passlib: bcrypt.using(rounds=4, ident='2b').hash('ünï©ode'); ident='2a'
    (Family::Bcrypt, "ünï©ode", "$2b$04$ijo7V1bsfuVqz3LqmG2gpem8X/mu9.uTa0JS0KSrEPvNt2zc1/q3O"),
    (Family::Bcrypt, HORSE, "$2a$04$ASeXvW2i.kCSjWAKV8.wmO5MQu21zrmontlq88NH9b/Ff5iY4.dKu"),
    // ryft-server's sample users file
    (Family::Bcrypt, "admin", "$2a$10$ewLPM0A4RJq3iUkMR7FbGep0KxV.JgbeMNeJx0cha.zPb1bZpGlRe"),
    (Family::Bcrypt, "test", "$2a$10$tNa9u2ueO2Q4cKiIXCtvWuikwI8lfST04FK6cqTwG5FITIlt7yaC."),
    // htpasswd -nbs u 'correct horse'
    (Family::Sha1, HORSE, "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="),
    // passlib: ldap_salted_sha1.using(salt=b'salt1234').hash('correct horse')
    (Family::SaltedSha1, HORSE, "{SSHA}K0MZxWoMPVRxegoJBeg1/wEGvbpzYWx0MTIzNA=="),
    // argon2-cffi 25.1: hash_secret(b'correct horse', b'somesaltsomesalt', 2, 1024, 1, 32, Type.ID), I, D
    (Family::Argon2id, HORSE, "$argon2id$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y"),
    (Family::Argon2i, HORSE, "$argon2i$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$DvOFzkGfq+KnIJd6iT3E79g7tvGBhMTX1w99hbpDw54"),
    (Family::Argon2d, HORSE, "$argon2d$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$y96myaPE0Yka+4diMQ570p7TvVIoK+r/eXaW5O3Wo9s"),
    // the same with version=16, and as versions were not yet written
    (Family::Argon2i, HORSE, "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$A1+R8Ps1LHBZDZvkRt712g3afqcZGsKykD3vsYoQpnc"),
    (Family::Argon2i, HORSE, "$argon2i$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$A1+R8Ps1LHBZDZvkRt712g3afqcZGsKykD3vsYoQpnc"),
    // hash_secret(b'correct horse', b'somesaltsomesalt', 3, 512, 4, 24, Type.ID)
    (Family::Argon2id, HORSE, "$argon2id$v=19$m=512,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$/Nf+bT+lLo9IX7UMMI1Mppo6siQz3/FY"),
    // passlib: scrypt.using(rounds=10, salt=b'saltsaltsalt').hash('correct horse')
    (Family::Scrypt, HORSE, "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0$JLoeRlAiVzz/fmBbrb3a7QkuecDu7wE6R0zHHE5DC7g"),
    // passlib: scrypt.using(rounds=4, block_size=4, parallelism=3, salt=b'\xfb\xff\xfe' * 5)
    (Family::Scrypt, HORSE, "$scrypt$ln=4,r=4,p=3$+//++//++//++//++//+$vWUZNFPAb50tomwo7aTqGAQiXFuDWiT6OfGa3Uo9L1g"),
    // passlib: pbkdf2_sha1.using(rounds=1000, salt=b'\xfb\xef\xfe\xff' * 4).hash('correct horse'), …
    (Family::Pbkdf2Sha1, HORSE, "$pbkdf2$1000$.././/vv/v/77/7/.././w$/QuN/MchY3UJAZ.NkzW2lwTlK6E"),
    (Family::Pbkdf2Sha256, HORSE, "$pbkdf2-sha256$1000$.././/vv/v/77/7/.././w$sHQ1V/WW7Mi9bX0NspDIcNYqRMhi2GuXYZqtD.RUPlQ"),
    (Family::Pbkdf2Sha512, HORSE, "$pbkdf2-sha512$1000$.././/vv/v/77/7/.././w$kJ2D3BscGG.Ry8wDcp4i9q2ntIt8ir7YaK48Vuq4r0TQQShSLANlOrmECyiOyHzzOtszWUg5m.9vrGZpJiF25w"),
    // Python's hashlib.pbkdf2_hmac(…, b'correct horse', b'\xfb\xef\xfe\xff' * 4, 2000, 32) in PHC's spelling
    (Family::Pbkdf2Sha1, HORSE, "$pbkdf2-sha1$i=2000,l=32$++/+//vv/v/77/7/++/+/w$Lq4+eD/NFK1ECCcVueRM9bW0x/pMoi77AyRKw3s/O/k"),
    (Family::Pbkdf2Sha256, HORSE, "$pbkdf2-sha256$i=2000,l=32$++/+//vv/v/77/7/++/+/w$IxB64O5ZGK51hBk3ttbDQaou6yyFv5D3QOp1sp6g5ns"),
    (Family::Pbkdf2Sha512, HORSE, "$pbkdf2-sha512$i=2000,l=32$++/+//vv/v/77/7/++/+/w$ydNM346yfdvivUVbKQpm4Xz4lKtMSLR2Il3U87r9nHM"),
    // hashlib.pbkdf2_hmac('sha256', b'admin123', bytes(range(16)), 100000) in App Mesh's spelling
    (Family::Pbkdf2Sha256, "admin123", "$pbkdf2$100000$000102030405060708090a0b0c0d0e0f$f11cfeba98866961ca4903b25696fb7a85efea47c0b7b35525aaa0682ac7097f"),
];

fn parse(text: &str) -> Result<PasswordHash, PasswordHashError> {
    PasswordHash::parse(text, Limits::default())
}

#[test]
fn every_family_verifies_what_its_reference_tool_hashed() {
    for (family, password, text) in VECTORS {
        let hash = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(hash.family(), *family, "{text}");
        assert!(hash.verify(password.as_bytes()), "{text}");
        assert!(!hash.verify(format!("{password}x").as_bytes()), "{text}");
        assert!(!hash.verify(b"wrong"), "{text}");
    }
}

#[test]
fn no_password_is_verified_that_c_code_would_cut_short() {
    for (_, password, text) in VECTORS.iter().filter(|(_, _, text)| !text.contains("$10$")) {
        let hash = parse(text).unwrap();
        assert!(!hash.verify(format!("{password}\0").as_bytes()), "{text}");
        assert!(!hash.verify(format!("{password}\0{password}").as_bytes()), "{text}");
        assert!(!hash.verify(b""), "{text}");
    }
}

#[test]
fn bcrypt_does_not_take_a_long_password_for_its_prefix() {
    let hash = parse("$2y$04$EFoKPI1TfaVS7TAvkGt2H.tTJBHAfA90O8y67dueyVraWHiv.tQqG").unwrap();

    assert!(hash.verify(B72.as_bytes()));
    assert!(!hash.verify(format!("{B72}b").as_bytes()));
    assert!(!hash.verify(&[b'b'; 1000]));
}

#[test]
fn a_password_beyond_the_longest_fits_nothing() {
    let longest = [b'x'; MAX_PASSWORD_BYTES];
    assert!(PasswordHash::plaintext(&longest).unwrap().verify(&longest));
    let longer = [b'x'; MAX_PASSWORD_BYTES + 1];
    assert!(PasswordHash::plaintext(&longer).is_err());
    assert!(!PasswordHash::plaintext(b"stand-in").unwrap().verify(&longer));
}

#[test]
fn what_is_written_is_argon2id_and_is_read_again() {
    let text = hash(HORSE.as_bytes()).unwrap();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
    let hash = parse(&text).unwrap();
    assert!(hash.verify(HORSE.as_bytes()));
    assert!(!hash.verify(b"correct horsf"));
    assert_eq!(hash.cost(), PasswordHash::written_decoy().unwrap().cost());
    assert!(super::hash(b"").is_err());
    assert!(super::hash(b"a\0b").is_err());
}

#[test]
fn damaged_hashes_are_errors() {
    let bcrypt = "$2b$04$ijo7V1bsfuVqz3LqmG2gpem8X/mu9.uTa0JS0KSrEPvNt2zc1/q3O";
    let damaged = [
        "",
        "$",
        "$$",
        "$$$",
        "x",
        "admin",
        "{",
        "{}",
        "{SHA}",
        "{SHA}x",
        "{SSHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
        "{SHA}K0MZxWoMPVRxegoJBeg1/wEGvbpzYWx0MTIzNA==",
        "{MD5}X03MO1qnZdYdgyfeuILPmQ==",
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$2$04$abc",
        "$7$x$y",
        "$y$j9T$x$y",
        "$2x$04$ijo7V1bsfuVqz3LqmG2gpem8X/mu9.uTa0JS0KSrEPvNt2zc1/q3O",
        &bcrypt[..59],
        &format!("{bcrypt}a"),
        &bcrypt.replace("04", "4"),
        &bcrypt.replace("04", "+4"),
        &bcrypt.replace("04", "03"),
        &bcrypt.replace("04", "00"),
        &bcrypt.replace("/q", "=q"),
        &bcrypt.replace('X', "é"),
        "$5$salt",
        "$5$salt$",
        "$6$salt$short",
        "$5$rounds=$salt$x",
        "$5$rounds=999$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC",
        "$5$saltsaltsaltsalts$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC",
        "$apr1$x",
        "$apr1$saltsalts$kZco098TPl0CRNJBA6mub.",
        "$apr1$salt$kZco098TPl0CRNJBA6mu!.",
        "$argon2id$",
        "$argon2id$v=19$",
        "$argon2id$v=18$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=1024,t=2$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=1024,t=0,p=1$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=8,t=2,p=4$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=1024,t=2,p=1,keyid=AA$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=1024,t=2,t=2$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$",
        "$argon2id$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAA",
        "$argon2id$v=19$m=1024,t=2,p=1$c2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$scrypt$ln=0,r=8,p=1$c2FsdA$JLoeRlAiVzz/fmBbrb3a7QkuecDu7wE6R0zHHE5DC7g",
        "$scrypt$ln=10,r=0,p=1$c2FsdA$JLoeRlAiVzz/fmBbrb3a7QkuecDu7wE6R0zHHE5DC7g",
        "$scrypt$ln=10,r=8$c2FsdA$JLoeRlAiVzz/fmBbrb3a7QkuecDu7wE6R0zHHE5DC7g",
        "$scrypt$",
        "$scrypt$ln=10,r=8,p=1$$",
        "$pbkdf2$",
        "$pbkdf2$0$AAAA$AAAA",
        "$pbkdf2-sha256$i=2000,l=31$++/+//vv/v/77/7/++/+/w$IxB64O5ZGK51hBk3ttbDQaou6yyFv5D3QOp1sp6g5ns",
        "$pbkdf2-sha256$1000$AAAA$",
        "$pbkdf2$100000$0001$0",
        "$pbkdf2-md5$1000$AAAA$AAAA",
    ];
    for text in damaged {
        assert!(parse(text).is_err(), "{text}");
    }
    assert_eq!(parse(&"$".repeat(MAX_HASH_BYTES + 1)).unwrap_err(), PasswordHashError::NotAHash);
}

#[test]
fn a_hash_may_not_ask_for_more_than_is_allowed() {
    let excessive = [
        "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=262144,t=17,p=1$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=1024,t=4294967295,p=1$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$argon2id$v=19$m=4096,t=1,p=65$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$2b$16$ijo7V1bsfuVqz3LqmG2gpem8X/mu9.uTa0JS0KSrEPvNt2zc1/q3O",
        "$2b$31$ijo7V1bsfuVqz3LqmG2gpem8X/mu9.uTa0JS0KSrEPvNt2zc1/q3O",
        "$2b$99$ijo7V1bsfuVqz3LqmG2gpem8X/mu9.uTa0JS0KSrEPvNt2zc1/q3O",
        "$6$rounds=999999999$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/",
        "$pbkdf2-sha256$4294967295$AAAA$IxB64O5ZGK51hBk3ttbDQaou6yyFv5D3QOp1sp6g5ns",
        "$scrypt$ln=20,r=8,p=1$c2FsdA$JLoeRlAiVzz/fmBbrb3a7QkuecDu7wE6R0zHHE5DC7g",
        "$scrypt$ln=63,r=4294967295,p=4294967295$c2FsdA$JLoeRlAiVzz/fmBbrb3a7QkuecDu7wE6R0zHHE5DC7g",
        "$scrypt$ln=4294967295,r=1,p=1$c2FsdA$JLoeRlAiVzz/fmBbrb3a7QkuecDu7wE6R0zHHE5DC7g",
        "$scrypt$ln=1,r=1,p=4294967295$c2FsdA$JLoeRlAiVzz/fmBbrb3a7QkuecDu7wE6R0zHHE5DC7g",
    ];
    for text in excessive {
        assert!(matches!(parse(text), Err(PasswordHashError::Excessive(..))), "{text}");
    }
    let small = Limits::with_memory(1 << 20);
    assert!(PasswordHash::parse(&hash(b"x").unwrap(), small).is_err());
}

#[test]
fn a_decoy_costs_the_same_and_fits_nothing() {
    for (family, password, text) in VECTORS {
        let hash = parse(text).unwrap();
        let decoy = hash.decoy().unwrap();
        assert_eq!((decoy.family(), decoy.cost()), (*family, hash.cost()));
        assert!(!decoy.verify(password.as_bytes()), "{text}");
    }
    let decoy = PasswordHash::plaintext(b"x").unwrap().decoy().unwrap();
    assert!(!decoy.verify(b"x"));
}

#[test]
fn costs_are_ordered_by_time() {
    let costs: Vec<Cost> = [
        "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
        "$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$4BnlcpLz5MRq0Izs2E2zIqpIFISeK/m9DFKmAc7uq5Y",
        "$2b$12$ijo7V1bsfuVqz3LqmG2gpem8X/mu9.uTa0JS0KSrEPvNt2zc1/q3O",
    ]
    .map(|text| parse(text).unwrap().cost())
    .into();
    assert!(costs.is_sorted_by(|a, b| a < b), "{costs:?}");
}

#[test]
fn a_plaintext_password_is_told_from_another_by_the_marker_of_one_run() {
    let (one, two) = (Marker::random().unwrap(), Marker::random().unwrap());
    let marked = |password: &[u8], marker| PasswordHash::marked(password, marker).unwrap();
    let before = marked(b"right", &one);

    assert!(!before.differs_from(&marked(b"right", &one)));
    assert!(before.differs_from(&marked(b"wrong", &one)));
    assert!(before.differs_from(&marked(b"right", &two)));
    assert!(before.differs_from(
        &PasswordHash::parse("{SHA}2qQ7nS0NSfrGpSLl4Ue3Mcw1Wgs=", Limits::default()).unwrap()
    ));
    assert!(before.verify(b"right") && !before.verify(b"wrong"));
    assert_eq!(format!("{one:?}"), "Marker([redacted])");
}

#[test]
fn nothing_of_a_hash_is_printed() {
    let text = VECTORS[0].2;
    assert_eq!(format!("{:?}", parse(text).unwrap()), "PasswordHash(Apr1)");
    assert_eq!(format!("{:?}", PasswordHash::plaintext(b"x").unwrap()), "PasswordHash(Plaintext)");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_damage_makes_parser_or_verification_panic(
        vector in 0..VECTORS.len(),
        place in 0_usize..128,
        with in prop_oneof![any::<char>(), prop::char::range(' ', '~'), prop::char::range('0', '9')],
    ) {
        let tight = Limits {
            memory_bytes: 4 << 20, traffic_bytes: 8 << 20, bcrypt_cost: 4,
            pbkdf2_iterations: 2_000, crypt_rounds: 5_000,
        };
        let (_, password, text) = VECTORS[vector];
        let mut damaged: Vec<char> = text.chars().collect();
        let place = place % damaged.len();
        damaged[place] = with;
        let damaged: String = damaged.into_iter().collect();
        for text in [damaged, text.chars().take(place).collect()] {
            if let Ok(hash) = PasswordHash::parse(&text, tight) {
                // It may fit, where hexadecimal or a stray bit is only spelled differently.
                let _ = hash.verify(password.as_bytes());
            }
        }
    }
}
