%% A name server module that answers with the port of a proxy in front of the other node. Everything
%% else is what Erlang's own module answers.
-module(foundation_bench_epmd).
-export([start_link/0, register_node/2, register_node/3, port_please/2, port_please/3,
         address_please/3, listen_port_please/2, names/0, names/1]).

start_link() -> erl_epmd:start_link().
register_node(Name, Port) -> erl_epmd:register_node(Name, Port).
register_node(Name, Port, Family) -> erl_epmd:register_node(Name, Port, Family).
port_please(Name, Host) -> proxied(erl_epmd:port_please(Name, Host)).
port_please(Name, Host, Timeout) -> proxied(erl_epmd:port_please(Name, Host, Timeout)).
address_please(Name, Host, Family) -> erl_epmd:address_please(Name, Host, Family).
listen_port_please(Name, Host) -> erl_epmd:listen_port_please(Name, Host).
names() -> erl_epmd:names().
names(Host) -> erl_epmd:names(Host).

proxied({port, _Port, Version}) ->
    {port, list_to_integer(os:getenv("FOUNDATION_BENCH_PROXY_PORT")), Version};
proxied(Other) ->
    Other.
