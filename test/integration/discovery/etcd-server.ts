import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";

const run = promisify(execFile);
/** A lone server need not wait for others before it leads. */
const QUICK = ["--heartbeat-interval", "20", "--election-timeout", "200"];

/** An etcd server of a test's own; what it holds outlives `kill`, and ends with `close`. */
export class EtcdServer {
  readonly url: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "foundation-etcd-"));
  readonly #words: readonly string[];
  #server: ServerProcess | undefined;

  private constructor(url: string, peerUrl: string, words: readonly string[]) {
    this.url = url;
    const own = ["--listen-client-urls", url, "--advertise-client-urls", url];
    const peers = ["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl];
    const cluster = ["--initial-cluster", `default=${peerUrl}`, "--data-dir", this.#folder];
    this.#words = [...own, ...peers, ...cluster, ...QUICK, ...words];
  }

  /** Starts one on a free port; undefined where the program is not installed. */
  static async start(scheme = "http", words: readonly string[] = []) {
    const [port, peerPort] = [await freePort(), await freePort()];
    const local = `${scheme}://127.0.0.1:${port}`;
    const server = new EtcdServer(local, `http://127.0.0.1:${peerPort}`, words);
    if (await server.begin()) return server;
    await server.close();
    return undefined;
  }

  /** Starts it again, with what it held; false where the program is not installed. */
  async begin(): Promise<boolean> {
    const ready = /ready to serve|serving (insecure )?client/;
    this.#server = await ServerProcess.start("etcd", this.#words, ready);
    return this.#server !== undefined;
  }

  /** Asks its gateway something, as any client may. */
  async call(path: string, body: object, headers: Record<string, string> = {}) {
    const question = { method: "POST", body: JSON.stringify(body), headers };
    const answer = await fetch(`${this.url}/v3/${path}`, question);
    if (!answer.ok) throw new Error(`etcd answers ${answer.status} to ${path}`);
    return (await answer.json()) as Record<string, unknown>;
  }

  /** Writes a key. */
  async put(key: string, value: string): Promise<void> {
    await this.call("kv/put", { key: base64(key), value: base64(value) });
  }

  /** Removes all keys with a prefix. */
  async clear(prefix: string): Promise<void> {
    await this.call("kv/deleterange", prefixed(prefix));
  }

  /** The keys with a prefix. */
  async keys(prefix: string): Promise<string[]> {
    const { kvs } = await this.call("kv/range", prefixed(prefix));
    const pairs = (kvs ?? []) as { readonly key: string }[];
    return pairs.map(({ key }) => Buffer.from(key, "base64").toString());
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  /** Stops it where it stands: connections stay, and nobody answers. */
  freeze(): void {
    this.#server?.freeze();
  }

  /** Lets it go on. */
  thaw(): void {
    this.#server?.thaw();
  }

  /** Ends it, and what it held. */
  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A certificate of 127.0.0.1 that signs itself, and its key, in a folder. */
export async function selfSigned(folder: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const kind = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  const name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  await run("openssl", [...kind.split(" "), ...name, "-out", cert, "-keyout", key]);
  return { cert, key };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function prefixed(prefix: string): { readonly key: string; readonly range_end: string } {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return { key: base64(prefix), range_end: end.toString("base64") };
}
