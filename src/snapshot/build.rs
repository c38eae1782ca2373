//! Builds a snapshot from a validated configuration and the files that it names: keys, users,
//! certificates.

use std::sync::Arc;

use super::{Keep, Listener, LoadError, LoadErrors, Omitted, Profile, Sets, Snapshot, Summary};
use crate::clock;
use crate::config::{self, Config};
use crate::credential::Accepted;
use crate::directory::{Directory, DirectorySettings, Format};
use crate::identity::Identities;
use crate::identity::memory::DigestKey;
use crate::identity::verified::VerifiedPasswords;
use crate::password::once::Once;
use crate::password::{Limits, PasswordHash};
use crate::route::endpoint::Mounts;
use crate::route::upstream::{Times, Upstream};
use crate::route::{Challenges, IdentityFields, Route, Table};
use crate::secret::Secret;
use crate::tls::{Files, Offer, Tls};
use crate::token::{IssuerSettings, Keyring, Signer, Verifier};
use crate::user::Roles;

/// What the building collects besides its result.
#[derive(Default)]
struct Notes {
    errors: Vec<LoadError>,
    summary: Summary,
}

impl Notes {
    fn keep<T>(&mut self, result: Result<T, LoadError>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }
}

impl Snapshot {
    /// Reads every file that the configuration names and builds the snapshot.
    ///
    /// # Errors
    ///
    /// Everything that keeps it from being built, not only the first thing.
    pub fn build(config: &Config, generation: u64, keep: &mut Keep) -> Result<Self, LoadErrors> {
        let mut notes = Notes::default();
        notes.summary.warnings = config.warnings.iter().map(ToString::to_string).collect();
        let roles = build_roles(config, &mut notes);
        let directories = build_directories(config, &roles, keep, &mut notes);
        let verifier = build_verifier(config, &mut notes);
        let profiles = build_profiles(config, verifier.as_ref(), &mut notes);
        let listeners = build_listeners(config, keep, &mut notes);
        let decoy = notes.keep(PasswordHash::written_decoy().map_err(LoadError::from));
        let digest_key = notes.keep(DigestKey::random().map_err(|_| LoadError::Randomness));
        let hashing = notes.keep(keep.pool(&config.passwords).map_err(LoadError::Threads));
        let (Some(decoy), Some(digest_key), Some(hashing), true) =
            (decoy, digest_key, hashing, notes.errors.is_empty())
        else {
            return Err(LoadErrors(notes.errors));
        };
        let routes = config.routes.iter().map(|route| build_route(config, route)).collect();
        let mounts = config.endpoints.iter().map(config::Endpoint::mount).collect();
        Ok(Self {
            generation,
            loaded_at: clock::since_epoch(),
            routes: Table::new(routes),
            mounts: Mounts::new(mounts),
            profiles,
            totp: config.totp.clone(),
            sessions: config.sessions,
            throttle: config.throttle,
            upstreams: config.upstreams.iter().map(build_upstream).collect(),
            identities: Identities {
                issuer_names: config
                    .issuers
                    .iter()
                    .map(|issuer| issuer.name.as_str().into())
                    .collect(),
                verifier,
                directories,
                roles,
                decoy: Arc::new(decoy),
            },
            listeners,
            trusted_proxies: config.server.trusted_proxies.clone(),
            cuts_revoked: config.server.cut_revoked,
            remember_passwords: config.passwords.remember,
            digest_key,
            verified_passwords: VerifiedPasswords::default(),
            verifying_passwords: Once::default(),
            verifying_logins: Once::default(),
            token_memory: config.tokens.memory,
            hashing,
            hashing_threads: config.passwords.workers.get(),
            decisions: config.admin_decisions.div_ceil(config.server.workers.get()),
            admin_token: config.admin_token.as_ref().map(Secret::duplicate),
            lifetimes: config.issuers.iter().map(|issuer| issuer.lifetime).collect(),
            summary: notes.summary,
        })
    }
}

fn build_roles(config: &Config, notes: &mut Notes) -> Roles {
    let mut roles = Roles::default();
    for role in &config.roles {
        let grants = role.permissions.iter().map(crate::user::Grant::as_str);
        let defined = roles.define(&role.name, grants).map_err(LoadError::from);
        if notes.keep(defined).is_some() {
            roles.stands_at(&role.name, role.place.as_str());
        }
    }
    roles
}

fn build_directories(
    config: &Config,
    roles: &Roles,
    keep: &mut Keep,
    notes: &mut Notes,
) -> Vec<Directory> {
    let limits = Limits::with_memory(config.passwords.memory);
    let Some(marker) = notes.keep(keep.marker().map_err(LoadError::from)) else {
        return Vec::new();
    };
    let mut directories = Vec::new();
    for directory in &config.directories {
        let settings = DirectorySettings {
            name: directory.name.clone(),
            file: directory.file.clone(),
            format: match directory.format {
                config::UserFormat::Htpasswd => Format::Htpasswd,
                config::UserFormat::Json => Format::Json,
                config::UserFormat::Toml => Format::Toml,
                config::UserFormat::Yaml => Format::Yaml,
            },
            default_home: directory.default_home.clone(),
            default_roles: directory.default_roles.clone(),
        };
        let loaded = crate::directory::load(&settings, roles, limits, Some(marker))
            .map_err(|error| LoadError::Directory(directory.name.clone(), error));
        if let Some((directory, warnings)) = notes.keep(loaded) {
            notes.summary.users += directory.len();
            notes.summary.warnings.extend(warnings.iter().map(ToString::to_string));
            directories.push(directory);
        }
    }
    directories
}

fn build_verifier(config: &Config, notes: &mut Notes) -> Option<Verifier> {
    let mut settings = Vec::new();
    for issuer in &config.issuers {
        let built = build_issuer(issuer, &mut notes.summary);
        settings.extend(notes.keep(built));
    }
    if settings.is_empty() {
        return None;
    }
    notes.summary.keys = settings.iter().map(|issuer| issuer.keyring.keys().count()).sum();
    notes.keep(Verifier::new(settings).map_err(LoadError::from))
}

/// One issuer with its keys; also what the command line signs tokens with.
///
/// # Errors
///
/// Its keys cannot be read or do not serve its algorithms.
pub(crate) fn build_issuer(
    issuer: &config::Issuer,
    summary: &mut Summary,
) -> Result<IssuerSettings, LoadError> {
    let name = || issuer.name.clone();
    let loaded = match &issuer.keys {
        config::KeySource::Path(path) => Keyring::load(path),
        config::KeySource::Secret(secret) => {
            Keyring::from_secret(secret.expose(), issuer.algorithms.as_deref().unwrap_or_default())
        }
    };
    let (keyring, warnings) = loaded.map_err(|error| LoadError::Keys(name(), error))?;
    summary.warnings.extend(warnings.iter().map(ToString::to_string));
    let bound = match issuer.bound {
        config::Bound::Always => true,
        config::Bound::IfLocal => keyring.can_sign(),
        config::Bound::Never => false,
    };
    Ok(IssuerSettings {
        name: name(),
        issuer: issuer.issuer.clone(),
        audience: issuer.audience.clone(),
        required: issuer.required,
        keyring,
        algorithms: issuer.algorithms.clone(),
        leeway: issuer.leeway,
        max_lifetime: issuer.max_lifetime,
        claims: issuer.claims.clone(),
        bound,
    })
}

/// How each endpoint issues. An issuer that cannot sign is a mistake, not a surprise at the
/// first login.
fn build_profiles(
    config: &Config,
    verifier: Option<&Verifier>,
    notes: &mut Notes,
) -> Vec<Arc<Profile>> {
    let mut profiles = Vec::new();
    for endpoint in &config.endpoints {
        let issuer = endpoint.issuer.and_then(|index| verifier?.issuer(index));
        let signer = issuer.map(|issuer| {
            Signer::newest(&issuer.keyring, issuer.algorithms.as_deref())
                .map_err(|error| LoadError::Signer(endpoint.name.clone(), error))
        });
        let signer = signer.and_then(|signer| notes.keep(signer)).map(Arc::new);
        let audience = if endpoint.audience.is_empty() {
            issuer.map(|issuer| issuer.audience.as_slice()).unwrap_or_default()
        } else {
            endpoint.audience.as_slice()
        };
        profiles.push(Arc::new(Profile {
            name: endpoint.name.as_str().into(),
            dialect: endpoint.dialect,
            prefix: endpoint.path.as_str().into(),
            issuer: endpoint.issuer,
            signer,
            lifetime: endpoint.lifetime,
            max_lifetime: endpoint.max_lifetime,
            refresh_lifetime: endpoint.refresh_lifetime,
            refresh_window: endpoint.refresh_window,
            audience: audience.iter().map(|audience| audience.as_str().into()).collect(),
            extra_claims: endpoint
                .extra_claims
                .iter()
                .map(|(claim, attribute)| (claim.as_str().into(), attribute.as_str().into()))
                .collect(),
            omitted: Omitted {
                issuer: endpoint.omits_issuer,
                audience: endpoint.omits_audience,
                subject: endpoint.omits_subject,
            },
            totp_reuse: endpoint.totp_reuse,
            sets: Sets { external: endpoint.is_external, internal: endpoint.is_internal },
            key_lifetime: endpoint.key_lifetime,
            origins: endpoint.origins.iter().map(|origin| origin.as_str().into()).collect(),
            login_issuers: endpoint.login_issuers.clone(),
            trusted: endpoint.trusted.clone(),
        }));
    }
    profiles
}

fn build_listeners(config: &Config, keep: &mut Keep, notes: &mut Notes) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        let tls = match &listener.tls {
            None => None,
            Some(tls) => {
                let loaded = build_tls(listener, tls, keep)
                    .map_err(|error| LoadError::Tls(listener.name.clone(), error));
                let Some(tls) = notes.keep(loaded) else { continue };
                let now = clock::unix_seconds();
                let warnings = tls.certificates.iter().filter_map(|facts| facts.warning(now));
                let of = |warning| format!("listener `{}`: {warning}", listener.name);
                notes.summary.warnings.extend(warnings.map(of));
                notes.summary.certificates.extend(tls.certificates.iter().cloned());
                Some(tls)
            }
        };
        listeners.push(Listener {
            name: listener.name.as_str().into(),
            limits: listener.limits,
            tls,
        });
    }
    listeners
}

fn build_tls(
    listener: &config::Listener,
    tls: &config::Tls,
    keep: &mut Keep,
) -> Result<Tls, crate::tls::TlsError> {
    let ticketer = keep.ticketer(&listener.name)?;
    let certificates = tls.certificates.iter();
    let offer = Offer {
        certificates: certificates
            .map(|pair| Files { chain: &pair.chain, key: &pair.key })
            .collect(),
        allows_tls12: tls.minimum == config::TlsVersion::V1_2,
        protocols: listener.protocols.iter().map(|protocol| protocol.as_str()).collect(),
    };
    Tls::load(&offer, &keep.provider, ticketer)
}

fn build_upstream(upstream: &config::Upstream) -> Upstream {
    Upstream {
        name: upstream.name.as_str().into(),
        host: upstream.host.as_str().into(),
        port: upstream.port,
        authority: upstream.authority.as_str().into(),
        times: Times {
            connect: upstream.connect_timeout,
            first_byte: upstream.first_byte_timeout,
            idle: upstream.idle_timeout,
            pool_idle: upstream.pool_idle,
        },
        connections: upstream.pool_size.get(),
    }
}

fn build_route(config: &Config, route: &config::Route) -> Route {
    let accepts = |kind| route.accept.contains(&kind);
    let accepted = Accepted {
        anonymous: accepts(config::Accept::Anonymous),
        api_key: accepts(config::Accept::ApiKey),
        basic: accepts(config::Accept::Basic),
        bearer: accepts(config::Accept::Bearer),
        session: accepts(config::Accept::Session),
        x_auth_token: accepts(config::Accept::XAuthToken),
    };
    let boxed = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
    Route {
        name: route.name.as_str().into(),
        place: route.place.as_str().into(),
        places: route.places.clone(),
        hosts: route.hosts.clone(),
        path: route.path.clone(),
        methods: route
            .methods
            .iter()
            .map(|rule| (rule.method.clone(), rule.permissions.clone()))
            .collect(),
        listeners: route.listeners.clone(),
        upstream: route.upstream,
        accepted,
        has_login_page: route.has_login_page,
        dialect: route.paths,
        home: route.home.clone(),
        roles: boxed(&route.roles),
        groups: boxed(&route.groups),
        forwards_credential: route.credential == config::CredentialPolicy::Forward,
        identity: match route.identity_headers {
            config::IdentityHeaders::None => IdentityFields::None,
            config::IdentityHeaders::Remote => IdentityFields::Remote,
            config::IdentityHeaders::XAuthRequest => IdentityFields::XAuthRequest,
            config::IdentityHeaders::XForwarded => IdentityFields::XForwarded,
        },
        websocket: route.websocket,
        body_limit: route.body_limit.map(std::num::NonZeroU64::get),
        preserves_host: route.host == config::HostPolicy::Preserve,
        challenges: Challenges::new(&config.server.realm, accepted),
    }
}
