%% Supervisors of the BEAM: the same questions as bench/micro/supervision/ask.mjs asks on Node.
-module(foundation_bench_supervision).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).
-export([start_child/1, start_sibling/1]).

-define(SIBLINGS, 10).
-define(MESSAGES_EACH, 10).
-define(WARM_CRASHES, 20).

main([Question, Deadline, Warm, Measure]) ->
    logger:set_primary_config(level, none),
    timer:apply_after(list_to_integer(Deadline), erlang, halt, [1]),
    Siblings = [sibling_name(Index) || Index <- lists:seq(1, ?SIBLINGS)],
    Children = [spec(child, start_child, self()) | [spec(Name, start_sibling, Name) || Name <- Siblings]],
    {ok, _} = supervisor:start_link(?MODULE, {supervisor, Children}),
    receive started -> ok end,
    Figures = figures(Question, list_to_integer(Warm), list_to_integer(Measure), Siblings),
    io:format("@bench {\"event\":\"result\",\"figures\":~s}~n", [Figures]),
    receive after infinity -> ok end.

sibling_name(Index) -> list_to_atom("sibling" ++ integer_to_list(Index)).

spec(Id, Start, Argument) -> #{id => Id, start => {?MODULE, Start, [Argument]}}.

figures("restart", Warm, Measure, _) ->
    restarts(Warm),
    Times = lists:sort(restarts(Measure)),
    At = fun(Share) -> lists:nth(ceil(length(Times) * Share), Times) / 1000 end,
    io_lib:format("{\"p50\":~f,\"p99\":~f}", [At(0.5), At(0.99)]);
figures("storm", Warm, Crashes, Siblings) ->
    Sent = warm_storm(Siblings, erlang:monotonic_time(millisecond) + Warm, 0),
    {Time, All} = timer:tc(fun() -> storm(Siblings, Crashes, Sent) end),
    Came = lists:sum([gen_server:call(Name, count) || Name <- Siblings]),
    Lost = All * ?SIBLINGS - Came,
    io_lib:format("{\"lost\":~b,\"restarts\":~f}", [Lost, Crashes * 1000000 / Time]).

%% The times of all restarts of so many milliseconds, in nanoseconds.
restarts(Ms) -> restarts(erlang:monotonic_time(millisecond) + Ms, []).

restarts(Until, Times) ->
    case erlang:monotonic_time(millisecond) < Until of
        true -> restarts(Until, [restart() | Times]);
        false -> Times
    end.

restart() ->
    gen_server:cast(child, crash),
    receive {crashed, At} -> ok end,
    receive started -> ok end,
    2 = gen_server:call(child, 1),
    erlang:monotonic_time(nanosecond) - At.

warm_storm(Siblings, Until, Number) ->
    case erlang:monotonic_time(millisecond) < Until of
        true -> warm_storm(Siblings, Until, storm(Siblings, ?WARM_CRASHES, Number));
        false -> Number
    end.

storm(_, 0, Number) -> Number;
storm(Siblings, Crashes, Number) ->
    Next = Number + ?MESSAGES_EACH,
    [[Name ! Each || Name <- Siblings] || Each <- lists:seq(Number, Next - 1)],
    restart(),
    storm(Siblings, Crashes - 1, Next).

start_child(Owner) ->
    gen_server:start_link({local, child}, ?MODULE, {child, Owner}, []).

start_sibling(Name) ->
    gen_server:start_link({local, Name}, ?MODULE, sibling, []).

init({supervisor, Children}) ->
    {ok, {#{strategy => one_for_one, intensity => 10000000, period => 1}, Children}};
init({child, Owner}) ->
    Owner ! started,
    {ok, {child, Owner}};
init(sibling) ->
    {ok, {sibling, 0, -1}}.

handle_call(count, _From, {sibling, Count, _} = State) -> {reply, Count, State};
handle_call(Value, _From, State) -> {reply, Value + 1, State}.

handle_cast(crash, {child, Owner}) ->
    Owner ! {crashed, erlang:monotonic_time(nanosecond)},
    error(as_told).

handle_info(Number, {sibling, Count, Last}) when Number > Last ->
    {noreply, {sibling, Count + 1, Number}}.
