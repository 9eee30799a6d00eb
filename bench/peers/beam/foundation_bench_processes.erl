%% Processes of the BEAM: the same questions as bench/micro/processes/ask.mjs asks on Node.
-module(foundation_bench_processes).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).
-import(foundation_bench_clock, [rate/2]).

-define(BATCH, 20000).
-define(BURST, 10000).
-define(MILLION, 1000000).
-define(WEIGHED, 100000).

main([Question, Deadline, Warm, Measure]) ->
    logger:set_primary_config(level, none),
    timer:apply_after(list_to_integer(Deadline), erlang, halt, [1]),
    Clock = {list_to_integer(Warm) * 1000, list_to_integer(Measure) * 1000},
    Figures = figures(Question, Clock),
    io:format("@bench {\"event\":\"result\",\"figures\":~s}~n", [Figures]),
    receive after infinity -> ok end.

figures("spawn", {Warm, Measure}) ->
    spawn_rate(Warm),
    io_lib:format("{\"spawn\":~f}", [spawn_rate(Measure)]);
figures("send", Clock) ->
    Me = self(),
    Receiver = spawn(fun() -> count(Me, 0) end),
    Sends = rate(fun() -> burst(Receiver, ?BURST), ?BURST end, Clock),
    io_lib:format("{\"send\":~f}", [Sends]);
figures("call", Clock) ->
    {ok, Pid} = gen_server:start(?MODULE, none, []),
    io_lib:format("{\"call\":~f}", [rate(fun() -> calls(Pid, 1000), 1000 end, Clock)]);
figures("a million", _) ->
    Before = resident(),
    {Time, Pids} = timer:tc(fun() -> reach(start(?MILLION)) end),
    Resident = (resident() - Before) / ?MILLION,
    true = lists:all(fun is_process_alive/1, Pids),
    io_lib:format("{\"seconds\":~f,\"resident\":~f}", [Time / 1000000, Resident]);
figures("light process", _) ->
    {Heap, Resident} = {erlang:memory(processes), resident()},
    Pids = start(?WEIGHED),
    Idle = erlang:memory(processes),
    reach(Pids),
    Used = erlang:memory(processes),
    Each = [(Found - Base) / ?WEIGHED
            || {Found, Base} <- [{Idle, Heap}, {Used, Heap}, {resident(), Resident}]],
    io_lib:format("{\"idle\":~f,\"used\":~f,\"resident\":~f}", Each).

%% Memory of this program, in bytes.
resident() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [KiB]} = re:run(Status, "VmRSS:\\s+(\\d+)", [{capture, all_but_first, list}]),
    list_to_integer(KiB) * 1024.

spawn_rate(Until) -> spawn_rate(Until, 0, 0).

spawn_rate(Until, Done, Passed) when Passed >= Until -> Done * 1000000 / Passed;
spawn_rate(Until, Done, Passed) ->
    {Time, Pids} = timer:tc(fun() -> [spawn(fun idle/0) || _ <- lists:seq(1, ?BATCH)] end),
    [exit(Pid, kill) || Pid <- Pids],
    [wait(Pid) || Pid <- Pids],
    spawn_rate(Until, Done + ?BATCH, Passed + Time).

wait(Pid) ->
    Ref = monitor(process, Pid),
    receive {'DOWN', Ref, process, Pid, _} -> ok end.

idle() -> receive never -> ok end.

%% The receiver counts, checks the order, and answers the last one of a burst.
count(Sender, Next) ->
    receive
        {last, Next} -> Sender ! done, count(Sender, Next + 1);
        Next -> count(Sender, Next + 1)
    end.

burst(Receiver, Messages) ->
    First = case get(sent) of undefined -> 0; Sent -> Sent end,
    burst(Receiver, First, First + Messages - 1),
    put(sent, First + Messages),
    receive done -> ok end.

burst(Receiver, Last, Last) -> Receiver ! {last, Last};
burst(Receiver, Number, Last) -> Receiver ! Number, burst(Receiver, Number + 1, Last).

start(Count) ->
    Me = self(),
    [spawn(fun() -> answer(Me) end) || _ <- lists:seq(1, Count)].

reach(Pids) ->
    [Pid ! once || Pid <- Pids],
    [receive answered -> ok end || _ <- Pids],
    Pids.

answer(Asker) ->
    receive once -> Asker ! answered, answer(Asker) end.

calls(_, 0) -> ok;
calls(Pid, Left) ->
    Answer = Left + 1,
    Answer = gen_server:call(Pid, Left),
    calls(Pid, Left - 1).

init(none) ->
    {ok, none}.

handle_call(Value, _From, State) -> {reply, Value + 1, State}.

handle_cast(_Message, State) -> {noreply, State}.
