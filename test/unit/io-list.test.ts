import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type IoPart, ioList } from "../../ts/base/io-list.ts";
import { decodeValue, encodeValue } from "../../ts/kernel/values.ts";

const refused = (code: string): unknown => expect.objectContaining({ code });
const lines = (count: number): string[] => Array.from({ length: count }, (_, n) => `line ${n}\n`);

/** A stream that takes what it gets only when it is told to. */
class SlowStream extends Writable {
  /** What each vectored write brought. */
  readonly writes: Uint8Array[][] = [];
  #taken: (error?: Error) => void = () => {};

  override _writev(
    chunks: readonly { readonly chunk: unknown }[],
    taken: (error?: Error | null) => void,
  ): void {
    this.writes.push(chunks.map(({ chunk }) => chunk as Uint8Array));
    this.#taken = taken;
  }

  override _write(chunk: unknown, _encoding: string, taken: (error?: Error | null) => void): void {
    this._writev([{ chunk }], taken);
  }

  async take(error?: Error): Promise<void> {
    this.#taken(error);
    await turn();
  }
}

describe("an io-list", () => {
  test("is text, bytes and lists of them, one behind the other", () => {
    const inner = ioList("c", ["d"]);
    const list = ioList("a", [new Uint8Array([0x62]), [inner, [], ""]]).append("é漢");
    expect(list.toBuffer().toString()).toBe("abcdé漢");
    expect(list.byteLength).toBe(9);
    expect(ioList().byteLength).toBe(0);
  });

  test("holds bytes and parts of other lists as they are, not copies", () => {
    const bytes = new Uint8Array([1, 2]);
    const inner = ioList("text", bytes);
    const list = ioList(inner);
    expect(list.parts[0]).toBe(inner.parts[0]);
    expect(list.parts[1]).toBe(bytes);
    list.append(list);
    expect(list.parts).toHaveLength(4);
    expect(inner.parts).toHaveLength(2);
  });

  test.each([[1], [null], [{}], [["a", 1]], [new Uint16Array(2)]])(
    "does not take %j, nor what stands beside it",
    (part) => {
      const list = ioList("before");
      expect(() => list.append(["a", part as IoPart])).toThrow(refused("invalid_options"));
      expect(list.toBuffer().toString()).toBe("before");
    },
  );

  test("does not take a list without end", () => {
    const endless: IoPart[] = ["a"];
    endless.push(endless);
    expect(() => ioList(endless)).toThrow(refused("invalid_options"));
  });

  test("is sent as bytes that nobody joins before", () => {
    const list = ioList("head", [new Uint8Array(300).fill(7)], "tail");
    const { bytes, encoding } = encodeValue({ body: list, more: [list] });
    const whole = Uint8Array.from(list.toBuffer());
    expect(decodeValue(bytes.slice(), encoding)).toEqual({ body: whole, more: [whole] });
  });
});

describe("written to a stream", () => {
  test("all parts come in one vectored write, and as they are", async () => {
    const stream = new SlowStream();
    const bytes = Buffer.alloc(10);
    const written = ioList("a", bytes, lines(500)).writeTo(stream);
    expect(stream.writes.map((parts) => parts.length)).toEqual([502]);
    expect(stream.writes[0]?.[1]).toBe(bytes);
    await stream.take();
    await written;
  });

  test("more parts or bytes than a write takes wait for the one before", async () => {
    const stream = new SlowStream();
    let isWritten = false;
    const list = ioList(lines(2_500), new Uint8Array(2 << 20), "behind", new Uint8Array(1 << 20));
    const written = list.writeTo(stream).then(() => {
      isWritten = true;
    });
    for (const parts of [1_024, 1_024, 452, 1, 1]) {
      expect(stream.writes.at(-1)).toHaveLength(parts);
      const soFar = stream.writes.length;
      await turn();
      expect(stream.writes).toHaveLength(soFar);
      expect(isWritten).toBe(false);
      await stream.take();
    }
    expect(stream.writes.at(-1)).toHaveLength(1);
    await stream.take();
    await written;
    expect(Buffer.concat(stream.writes.flat()).equals(list.toBuffer())).toBe(true);
  });

  test("nothing follows an abort", async () => {
    const stream = new SlowStream();
    const abort = new AbortController();
    const written = ioList(lines(3_000)).writeTo(stream, { signal: abort.signal });
    abort.abort();
    await expect(written).rejects.toMatchObject({ code: "aborted" });
    await stream.take();
    expect(stream.writes).toHaveLength(1);
    await expect(ioList("a").writeTo(stream, { signal: abort.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(stream.writes).toHaveLength(1);
  });

  test("a stream that fails, has ended or is slow says so", async () => {
    const stream = new SlowStream();
    stream.on("error", () => {});
    const cause = new Error("full disk");
    const written = ioList("a", "b").writeTo(stream);
    void stream.take(cause);
    await expect(written).rejects.toMatchObject({ code: "write_failed", cause });
    await expect(ioList("a").writeTo(stream)).rejects.toMatchObject({ code: "write_failed" });
    const late = ioList("a").writeTo(new SlowStream(), { timeoutMs: 1 });
    await expect(late).rejects.toMatchObject({ code: "timeout" });
  });

  test("nothing is written of nothing", async () => {
    const stream = new SlowStream();
    await ioList("", []).writeTo(stream);
    expect(stream.writes).toEqual([]);
  });
});
