"""Envoy, by its advice for a proxy at the edge. Tokens by the filter `jwt_authn`, with its cache;
homes by the filter `rbac` with an expression in CEL over the verified claims."""
import json

from .. import keys, place

EXTENSIONS = 'type.googleapis.com/envoy.extensions'
PAYLOAD = 'claims'
JWT = 'envoy.filters.http.jwt_authn'


def start_of(scenario, port, upstream, folder):
    file = folder / 'envoy.json'
    file.write_text(json.dumps({'static_resources': {
        'listeners': [listener(scenario, port)],
        'clusters': [{
            'name': 'out', 'type': 'STATIC', 'connect_timeout': '5s',
            'load_assignment': {'cluster_name': 'out', 'endpoints': [{'lb_endpoints': [
                {'endpoint': {'address': address(upstream)}}]}]},
        }],
    }}, indent=1))
    return [place.envoy(), '-c', file, '--concurrency', '1', '--disable-hot-restart',
            '-l', 'error'], {}


def address(port):
    return {'socket_address': {'address': '127.0.0.1', 'port_value': port}}


def typed(kind, **fields):
    return {'@type': f'{EXTENSIONS}.{kind}', **fields}


def listener(scenario, port):
    manager = typed(
        'filters.network.http_connection_manager.v3.HttpConnectionManager',
        stat_prefix='in', use_remote_address=True, normalize_path=True, merge_slashes=True,
        common_http_protocol_options={'idle_timeout': '3600s',
                                      'headers_with_underscores_action': 'REJECT_REQUEST'},
        http_filters=filters(scenario),
        route_config={'virtual_hosts': [{
            'name': 'all', 'domains': ['*'],
            'routes': [{'match': {'prefix': '/'}, 'route': {'cluster': 'out', 'timeout': '60s'}}],
        }]})
    chain = {'filters': [{'name': 'envoy.filters.network.http_connection_manager',
                          'typed_config': manager}]}
    if scenario.tls:
        tls = {'tls_params': {'tls_minimum_protocol_version': 'TLSv1_3',
                              'tls_maximum_protocol_version': 'TLSv1_3'},
               'alpn_protocols': ['h2', 'http/1.1'] if scenario.http2 else ['http/1.1'],
               'tls_certificates': [{'certificate_chain': {'filename': f'{place.KEYS}/tls.crt'},
                                     'private_key': {'filename': f'{place.KEYS}/tls.key'}}]}
        chain['transport_socket'] = {
            'name': 'envoy.transport_sockets.tls',
            'typed_config': typed('transport_sockets.tls.v3.DownstreamTlsContext',
                                  common_tls_context=tls)}
    return {'name': 'in', 'address': address(port), 'tcp_backlog_size': 4096,
            'per_connection_buffer_limit_bytes': 32768, 'filter_chains': [chain]}


def filters(scenario):
    router = {'name': 'envoy.filters.http.router',
              'typed_config': typed('filters.http.router.v3.Router')}
    if not scenario.has_token:
        return [router]
    provider = {
        'issuer': keys.ISSUER, 'audiences': [keys.AUDIENCE], 'payload_in_metadata': PAYLOAD,
        'local_jwks': {'inline_string': keys.read(f'{scenario.auth}.jwks')},
        'claim_to_headers': [{'header_name': 'x-forwarded-user', 'claim_name': 'sub'}],
        'jwt_cache_config': {'jwt_cache_size': 20000},
    }
    verify = typed('filters.http.jwt_authn.v3.JwtAuthentication', providers={'idp': provider},
                   rules=[{'match': {'prefix': '/'}, 'requires': {'provider_name': 'idp'}}])
    inside = {'permissions': [{'any': True}], 'principals': [{'any': True}],
              'condition': in_home()}
    confine = typed('filters.http.rbac.v3.RBAC',
                    rules={'action': 'ALLOW', 'policies': {'home': inside}})
    return [{'name': JWT, 'typed_config': verify},
            {'name': 'envoy.filters.http.rbac', 'typed_config': confine}, router]


def in_home():
    """request.path.startsWith(metadata.filter_metadata[JWT][PAYLOAD]['home']); `home` ends in a
    slash."""
    def field(of, name):
        return {'select_expr': {'operand': of, 'field': name}}

    def item(of, name):
        key = {'const_expr': {'string_value': name}}
        return {'call_expr': {'function': '_[_]', 'args': [of, key]}}

    metadata = field({'ident_expr': {'name': 'metadata'}}, 'filter_metadata')
    path = field({'ident_expr': {'name': 'request'}}, 'path')
    home = item(item(item(metadata, JWT), PAYLOAD), 'home')
    return {'call_expr': {'function': 'startsWith', 'target': path, 'args': [home]}}
