import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority } from "./certificates.mjs";
import { ChildProcesses, freePort, ready } from "./child-processes.mjs";

/** A kube-apiserver with its etcd, for runs by hand: nothing else of Kubernetes. */
export class KubernetesCluster {
  /** Signs the certificate of the API server. */
  authority = new CertificateAuthority();
  /** Of a user who may do anything. */
  #token = randomBytes(16).toString("hex");
  #folder = mkdtempSync(join(tmpdir(), "kubernetes-"));
  #children = new ChildProcesses();
  #program;

  /** `program`: a kube-apiserver. */
  constructor(program) {
    this.#program = program;
  }

  /** Starts etcd, and the API server with these flags besides. */
  async start(flags = []) {
    this.etcdPort = await freePort();
    const client = `http://127.0.0.1:${this.etcdPort}`;
    const peer = `http://127.0.0.1:${await freePort()}`;
    this.#children.run("etcd", [
      ...["--data-dir", join(this.#folder, "etcd"), "--log-level", "error"],
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ...["--initial-cluster", `default=${peer}`],
    ]);
    await ready("etcd", async () => (await fetch(`${client}/health`)).ok);
    this.port = await freePort();
    this.#writeFiles();
    await this.startServer(flags);
  }

  /** Starts the API server alone: etcd stays. */
  async startServer(flags = []) {
    const file = (name) => join(this.#folder, name);
    this.server = this.#children.run(this.#program, [
      `--etcd-servers=http://127.0.0.1:${this.etcdPort}`,
      `--secure-port=${this.port}`,
      "--bind-address=127.0.0.1",
      `--tls-cert-file=${file("server.crt")}`,
      `--tls-private-key-file=${file("server.key")}`,
      `--service-account-key-file=${file("account.pub")}`,
      `--service-account-signing-key-file=${file("account.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-cluster-ip-range=10.0.0.0/24",
      `--token-auth-file=${file("tokens.csv")}`,
      "--authorization-mode=RBAC",
      // Pods need no secrets of accounts here, and nobody would make them.
      "--disable-admission-plugins=ServiceAccount",
      // Compaction is for the run to order.
      "--etcd-compaction-interval=0",
      ...flags,
    ]);
    await ready("kube-apiserver", async () => (await this.call("GET", "/readyz")).status === 200);
  }

  async stopServer() {
    this.server.kill("SIGTERM");
    await once(this.server, "exit");
  }

  /** Versions of what runs. */
  async versions() {
    const etcd = await fetch(`http://127.0.0.1:${this.etcdPort}/version`);
    const { body } = await this.call("GET", "/version");
    const { gitVersion, goVersion } = JSON.parse(body);
    return { kubeApiserver: gitVersion, go: goVersion, etcd: (await etcd.json()).etcdserver };
  }

  /** Forgets all versions up to the newest. */
  async compact() {
    const post = async (path, body) => {
      const url = `http://127.0.0.1:${this.etcdPort}/v3/kv/${path}`;
      const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      return answer.json();
    };
    const { header } = await post("range", { key: Buffer.from("a").toString("base64") });
    await post("compaction", { revision: header.revision, physical: true });
  }

  /** One request in the name of an administrator, or with another token. */
  async call(method, path, body, type = "application/json", token = this.#token) {
    const options = { method, ca: this.authority.certificate, agent: false };
    const sent = request(`https://127.0.0.1:${this.port}${path}`, {
      ...options,
      headers: { authorization: `Bearer ${token}`, "content-type": type },
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(sent, "response");
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk;
    return { status: response.statusCode, body: text };
  }

  /** As `call`, and what is refused is an error. */
  async must(method, path, body, type) {
    const answer = await this.call(method, path, body, type);
    if (answer.status < 300) return JSON.parse(answer.body);
    throw new Error(`${method} ${path} answers ${answer.status}: ${answer.body}`);
  }

  async close() {
    await this.#children.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #writeFiles() {
    const write = (name, text) => writeFileSync(join(this.#folder, name), text, { mode: 0o600 });
    const { cert, key } = this.authority.issue(["127.0.0.1", "kubernetes.default.svc"]);
    const accounts = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    write("server.crt", cert);
    write("server.key", key);
    write("account.pub", accounts.publicKey.export({ type: "spki", format: "pem" }));
    write("account.key", accounts.privateKey.export({ type: "pkcs1", format: "pem" }));
    write("tokens.csv", `${this.#token},admin,admin,system:masters\n`);
  }
}
