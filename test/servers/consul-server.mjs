import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority } from "./certificates.mjs";
import { ChildProcesses, freePort, ready } from "./child-processes.mjs";

/** A Consul agent that is its own only server, for runs by hand. */
export class ConsulServer {
  /** A token that may do anything, where tokens are asked for. */
  master = randomUUID();
  #folder = mkdtempSync(join(tmpdir(), "consul-"));
  #children = new ChildProcesses();
  #program;

  /** `program`: a consul. */
  constructor(program) {
    this.#program = program;
  }

  /** Starts it with these settings besides; resolves when it answers. */
  async start(settings = {}) {
    this.port = await freePort();
    this.tlsPort = await freePort();
    const [server, gossip] = [await freePort(), await freePort()];
    const file = join(this.#folder, "agent.json");
    const config = {
      ...{ server: true, bootstrap_expect: 1, datacenter: "dc1", node_name: "machine" },
      ...{ bind_addr: "127.0.0.1", client_addr: "127.0.0.1", data_dir: join(this.#folder, "data") },
      ...{ log_level: "error", disable_update_check: true, connect: { enabled: false } },
      performance: { raft_multiplier: 1 },
      ports: {
        ...{ http: this.port, https: this.tlsPort, server, serf_lan: gossip },
        ...{ serf_wan: -1, dns: -1, grpc: -1, grpc_tls: -1 },
      },
      tls: { https: this.#writeCertificates() },
      ...settings,
    };
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    this.#children.run(this.#program, ["agent", `-config-file=${file}`]);
    const answers = async () => (await this.call("GET", "/v1/agent/self")).status === 200;
    await ready("consul", answers);
  }

  /** Resolves when it leads, and knows its own machine. */
  async leads() {
    const knowsItself = async () => (await this.must("GET", "/v1/catalog/nodes")).length > 0;
    await ready("consul's catalog", knowsItself);
  }

  /** Options of a client by TLS. */
  get tls() {
    const file = (name) => join(this.#folder, name);
    return { caFile: file("ca.crt"), certFile: file("client.crt"), keyFile: file("client.key") };
  }

  /** One request with the token that may do anything. */
  async call(method, path, body) {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      ...{ method, body },
      headers: { "x-consul-token": this.master },
    });
    return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
  }

  /** As `call` with JSON, and what is refused is an error. */
  async must(method, path, body) {
    const answer = await this.call(method, path, body && JSON.stringify(body));
    const text = answer.body.toString();
    if (answer.status === 200) return text === "" ? undefined : JSON.parse(text);
    throw new Error(`${method} ${path} answers ${answer.status}: ${text}`);
  }

  async close() {
    await this.#children.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #writeCertificates() {
    const authority = new CertificateAuthority();
    const file = (name) => join(this.#folder, name);
    const write = (name, text) => writeFileSync(file(name), text, { mode: 0o600 });
    write("ca.crt", authority.certificate);
    for (const who of ["server", "client"]) {
      const { cert, key } = authority.issue(["127.0.0.1"]);
      write(`${who}.crt`, cert);
      write(`${who}.key`, key);
    }
    const own = { cert_file: file("server.crt"), key_file: file("server.key") };
    return { ca_file: file("ca.crt"), ...own, verify_incoming: true };
  }
}
