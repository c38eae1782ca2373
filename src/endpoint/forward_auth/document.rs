//! The document of forward-auth, from what is read of each proxy's question.

use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    HttpMethod, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, RefOr, Required, Response, Schema,
};

use super::{FORWARDED, Names, ORIGINAL, Proxy, SCHEME};
use crate::openapi::{self, Cover};

/// What Envoy passes on as it came.
const METHODS: [(&str, HttpMethod); 7] = [
    ("delete", HttpMethod::Delete),
    ("get", HttpMethod::Get),
    ("head", HttpMethod::Head),
    ("options", HttpMethod::Options),
    ("patch", HttpMethod::Patch),
    ("post", HttpMethod::Post),
    ("put", HttpMethod::Put),
];

/// The document, for a gateway that is reached at `server`.
#[must_use]
pub fn document(server: &str) -> OpenApi {
    let about = "Whether a request that a proxy holds may pass: decided as if it had come here. \
                 Only trusted proxies may ask. The credential is that of the request itself.";
    let mut paths = PathsBuilder::new();
    for (path, proxy, name) in [
        ("/auth/caddy", Proxy::Caddy, "Caddy's `forward_auth`"),
        ("/auth/nginx", Proxy::Nginx, "nginx\u{2019}s `auth_request`"),
        ("/auth/traefik", Proxy::Traefik, "Traefik\u{2019}s `ForwardAuth`"),
    ] {
        let operation = operation(proxy, &format!("ask_{}", label(proxy)), name);
        paths = paths.path(path, PathItem::new(HttpMethod::Get, operation));
    }
    for (path, id) in [("/auth/envoy/", "ask_envoy"), ("/auth/envoy/{path}", "ask_envoy_below")] {
        let mut item = PathItem::default();
        for (method_name, method) in METHODS {
            let id = format!("{id}_{method_name}");
            let asked = operation(Proxy::Envoy, &id, "Envoy\u{2019}s `ext_authz` over HTTP");
            item.merge_operations(PathItem::new(method, with_path(asked, path)));
        }
        paths = paths.path(path, item);
    }
    let cover = Cover { title: "forward-auth", about, server };
    openapi::bind(OpenApiBuilder::new().paths(paths).build(), &cover, std::iter::empty())
}

fn label(proxy: Proxy) -> &'static str {
    match proxy {
        Proxy::Caddy => "caddy",
        Proxy::Envoy => "envoy",
        Proxy::Nginx => "nginx",
        Proxy::Traefik => "traefik",
    }
}

fn operation(proxy: Proxy, id: &str, name: &str) -> Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(id))
        .tag("forward-auth")
        .summary(Some(format!("Asked by {name}.")));
    let names = match proxy {
        Proxy::Caddy | Proxy::Traefik => Some(FORWARDED),
        Proxy::Nginx => Some(ORIGINAL),
        Proxy::Envoy => None,
    };
    if let Some(Names { method, uri, host }) = names {
        operation = operation
            .parameter(field(method, Required::True, "The request\u{2019}s method"))
            .parameter(field(uri, Required::True, "Its target in origin-form"))
            .parameter(field(host, Required::True, "Its host"));
    }
    let scheme = "`https` if it came by TLS; without it, it did not";
    operation = operation.parameter(field(SCHEME, Required::False, scheme));
    let refused = match proxy {
        Proxy::Nginx => {
            [("401", "Not by this credential, or by none"), ("403", "It may not pass")].as_slice()
        }
        Proxy::Caddy | Proxy::Envoy | Proxy::Traefik => &[
            ("303", "To the login page"),
            ("400", "The question cannot be answered, or the request has two readings"),
            ("401", "Not by this credential, or by none"),
            ("403", "It may not pass, or this proxy may not ask"),
            ("404", "No route"),
            ("405", "Not by this method"),
            ("429", "Too many failures; see Retry-After"),
        ],
    };
    let told = "It may pass; the fields say who it is";
    let refused = refused.iter().copied();
    let later = ("503", "Not now; see Retry-After");
    for (status, about) in [("200", told)].into_iter().chain(refused).chain([later]) {
        operation = operation.response(status, response(about));
    }
    operation.build()
}

fn response(about: &str) -> Response {
    ResponseBuilder::new().description(about).build()
}

/// Envoy's question with the path that it names.
fn with_path(mut operation: Operation, path: &str) -> Operation {
    if path.contains('{') {
        let parameter = ParameterBuilder::new()
            .name("path")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some("The request\u{2019}s own path, of any number of segments"))
            .schema(Some(text()))
            .build();
        operation.parameters.get_or_insert_default().push(parameter.into());
    }
    operation
}

fn field(name: &str, required: Required, about: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(about))
        .schema(Some(text()))
        .build()
}

fn text() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).into()
}
