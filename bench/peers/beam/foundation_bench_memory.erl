%% Bytes and texts of the BEAM: the same questions as bench/micro/memory/*.mjs ask on Node.
-module(foundation_bench_memory).
-export([main/1]).
-import(foundation_bench_clock, [rate/2]).

-define(PUTS, 64).
-define(RETAINS, 1000).
-define(TEXTS, 10000).
-define(READERS, 4).
-define(MESSAGE_BYTES, 1048576).

main([Question, Deadline, Warm, Measure]) ->
    timer:apply_after(list_to_integer(Deadline), erlang, halt, [1]),
    Clock = {list_to_integer(Warm) * 1000, list_to_integer(Measure) * 1000},
    Figures = figures(Question, Clock),
    io:format("@bench {\"event\":\"result\",\"figures\":~s}~n", [Figures]),
    receive after infinity -> ok end.

%% Above 64 bytes a binary is outside of all heaps, counted, and let go of by the collector.
figures("binary " ++ Size, Clock) ->
    Length = list_to_integer(Size),
    Bytes = binary:copy(<<7>>, Length),
    Puts = rate(fun() -> puts(Bytes, Length, ?PUTS), ?PUTS end, Clock),
    Reader = spawn(fun read/0),
    Retains = rate(fun() -> retains(Reader, Bytes, ?RETAINS), ?RETAINS end, Clock),
    io_lib:format("{\"puts\":~f,\"retains\":~f}", [Puts, Retains]);
figures("atoms", Clock) ->
    Known = [<<"order.known.", (integer_to_binary(Each))/binary>> || Each <- lists:seq(1, ?TEXTS)],
    Atoms = [binary_to_atom(Text) || Text <- Known],
    Lookups = rate(fun() -> look(Known, Atoms), ?TEXTS end, Clock),
    io_lib:format("{\"lookups\":~f}", [Lookups]);
figures("fan-out", Clock) ->
    Me = self(),
    Readers = [spawn(fun() -> echo(Me) end) || _ <- lists:seq(1, ?READERS)],
    Body = binary:copy(<<7>>, ?MESSAGE_BYTES - 2),
    put(number, 0),
    Messages = rate(fun() -> fan_out(Readers, Body), 1 end, Clock),
    io_lib:format("{\"messages\":~f}", [Messages]).

puts(_, _, 0) -> ok;
puts(Bytes, Length, Left) ->
    Copy = binary:copy(Bytes),
    Length = byte_size(Copy),
    7 = binary:at(Copy, Length - 1),
    puts(Bytes, Length, Left - 1).

%% A reader is a process that has been sent it; here all messages are waited for at once.
retains(Reader, Bytes, Readers) ->
    [Reader ! Bytes || _ <- lists:seq(2, Readers)],
    Reader ! {last, self(), Bytes},
    receive done -> ok end.

read() ->
    receive
        {last, Sender, <<7, _/binary>>} -> Sender ! done, read();
        <<7, _/binary>> -> read()
    end.

look([], []) -> ok;
look([Text | Texts], [Atom | Atoms]) ->
    Atom = binary_to_existing_atom(Text),
    look(Texts, Atoms).

%% The message is made anew each time, as what was copied into shared memory on Node.
fan_out(Readers, Body) ->
    Number = get(number) + 1,
    put(number, Number),
    Bytes = <<Body/binary, Number:16/little>>,
    [Reader ! Bytes || Reader <- Readers],
    Expected = Number band 16#ffff,
    [receive {read, Expected} -> ok end || _ <- Readers].

echo(Sender) ->
    receive Bytes ->
        Sender ! {read, binary:decode_unsigned(binary:part(Bytes, byte_size(Bytes), -2), little)},
        echo(Sender)
    end.
