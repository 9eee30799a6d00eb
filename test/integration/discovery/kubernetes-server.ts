import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority } from "../../servers/certificates.mjs";
import { type KubernetesObject, NAMESPACE } from "./kubernetes-objects.ts";

/** Answers one request in place of the server. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface Event {
  readonly plural: string;
  readonly version: number;
  readonly type: string;
  readonly object: object;
}

interface Kind {
  readonly kind: string;
  readonly group: string;
  /** Fields that an object without anything in it has all the same: that of a bookmark. */
  readonly bare: object;
}

const KINDS: Readonly<Record<string, Kind>> = {
  endpointslices: {
    kind: "EndpointSlice",
    group: "discovery.k8s.io/v1",
    bare: { addressType: "", endpoints: null, ports: null },
  },
  endpoints: { kind: "Endpoints", group: "v1", bare: {} },
  pods: { kind: "Pod", group: "v1", bare: { spec: { containers: null }, status: {} } },
};

/**
 * An API server that keeps the objects of one namespace, with the part of the protocol that clients
 * of lists and watches see: pages, versions, bookmarks, what is gone, tokens. Its lists, events,
 * bookmarks and statuses have the shape of those that kube-apiserver gave when it was recorded
 * (test/fixtures/kubernetes).
 */
export class KubernetesServer {
  /** Folder of the service account that it accepts. */
  readonly account: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Map<ServerResponse, string>();
  readonly #objects = new Map<string, Map<string, KubernetesObject>>();
  readonly #events: Event[] = [];
  readonly #answers: Answer[] = [];
  #version = 100;
  #oldest = 0;
  /** What was asked, path and query, in order. */
  readonly requests: URL[] = [];
  /** The token that is taken. */
  token = "first";
  /** Answers everything with this status. */
  failing: number | undefined;
  /** Takes requests and answers none. */
  isHanging = false;

  private constructor(account: string, server: Server) {
    this.account = account;
    this.#server = server;
    server.on("request", (request, response) => this.#answer(request, response));
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** Starts one on a free port, with a certificate of an authority of its own. */
  static async start(): Promise<KubernetesServer> {
    const authority = new CertificateAuthority();
    const server = createServer(authority.issue(["127.0.0.1"]));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const account = await mkdtemp(join(tmpdir(), "service-account-"));
    const files = { token: "first\n", "ca.crt": authority.certificate, namespace: NAMESPACE };
    for (const [name, text] of Object.entries(files)) await writeFile(join(account, name), text);
    return new KubernetesServer(account, server);
  }

  /** `host:port` of it. */
  get master(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Writes a kubeconfig whose user has the token, with a second context whose token is wrong;
   * answers its path.
   */
  async kubeconfig(): Promise<string> {
    const ca = await readFile(join(this.account, "ca.crt"));
    const data = ca.toString("base64");
    const cluster = { server: `https://${this.master}`, "certificate-authority-data": data };
    const user = (name: string, token: string): object => ({ name, user: { token } });
    const contextOf = (name: string): object => ({
      name,
      context: { cluster: "here", user: name, namespace: NAMESPACE },
    });
    const path = join(this.account, "kubeconfig");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "known",
      clusters: [{ name: "here", cluster }],
      users: [user("known", this.token), user("unknown", "another")],
      contexts: [contextOf("known"), contextOf("unknown")],
    };
    // JSON is YAML.
    await writeFile(path, JSON.stringify(config));
    return path;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Resolves when nobody is connected any more. */
  async idle(): Promise<void> {
    for (const socket of this.#sockets) await once(socket, "close");
  }

  /** Requests for watches so far. */
  get watches(): readonly URL[] {
    return this.requests.filter((url) => url.searchParams.has("watch"));
  }

  /** Requests for lists so far. */
  get lists(): readonly URL[] {
    return this.requests.filter((url) => !url.searchParams.has("watch"));
  }

  /** Answers one of the next requests; the first given answers first. */
  next(answer: Answer): void {
    this.#answers.push(answer);
  }

  /** Makes, or changes, an object. */
  put(plural: string, object: KubernetesObject): void {
    const known = this.#of(plural);
    const type = known.has(object.metadata.name) ? "MODIFIED" : "ADDED";
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    const kept = { ...object, metadata };
    known.set(object.metadata.name, kept);
    this.#tell(plural, type, kept);
  }

  /** Removes an object. */
  remove(plural: string, name: string): void {
    const gone = this.#of(plural).get(name);
    if (gone === undefined || !this.#of(plural).delete(name)) return;
    const metadata = { ...gone.metadata, resourceVersion: String(++this.#version) };
    this.#tell(plural, "DELETED", { ...gone, metadata });
  }

  /** Has these objects and no others. */
  replace(plural: string, objects: readonly KubernetesObject[]): void {
    const names = new Set(objects.map(({ metadata }) => metadata.name));
    for (const name of this.#of(plural).keys()) if (!names.has(name)) this.remove(plural, name);
    for (const object of objects) this.put(plural, object);
  }

  /** Moves on, as other objects of the cluster do all the time, and tells who watches. */
  bookmark(): string {
    const resourceVersion = String(++this.#version);
    for (const [watch, plural] of this.#watches) {
      const object = { metadata: { resourceVersion }, ...KINDS[plural]?.bare };
      watch.write(lineOf({ plural, type: "BOOKMARK", object }));
    }
    return resourceVersion;
  }

  /** Is as it was long ago, with these objects, as after a restore of etcd. */
  restore(plural: string, objects: readonly KubernetesObject[]): void {
    this.#events.length = 0;
    this.#of(plural).clear();
    this.#version = 1;
    for (const object of objects) this.put(plural, object);
  }

  /** Forgets what happened so far, as etcd does when it is compacted. */
  compact(): void {
    this.#oldest = this.#version;
    this.#events.length = 0;
  }

  /** Ends all watches, as their time being over does. */
  endWatches(): void {
    for (const watch of this.#watches.keys()) watch.end();
    this.#watches.clear();
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await rm(this.account, { recursive: true, force: true });
  }

  #of(plural: string): Map<string, KubernetesObject> {
    const known = this.#objects.get(plural) ?? new Map<string, KubernetesObject>();
    this.#objects.set(plural, known);
    return known;
  }

  #tell(plural: string, type: string, object: object): void {
    const event = { plural, version: this.#version, type, object };
    this.#events.push(event);
    for (const [watch, watched] of this.#watches) {
      if (watched === plural) watch.write(lineOf(event));
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "", `https://${this.master}`);
    this.requests.push(url);
    const answer = this.#answers.shift();
    if (this.isHanging) return;
    if (answer !== undefined) answer(request, response);
    else if (this.failing !== undefined) refuse(response, this.failing, "it fails");
    else if (request.headers.authorization !== `Bearer ${this.token}`) {
      refuse(response, 401, "Unauthorized");
    } else this.#serve(url, response);
  }

  #serve(url: URL, response: ServerResponse): void {
    const path = /^(.*)\/namespaces\/([^/]+)\/([^/]+)$/.exec(url.pathname);
    const [, prefix, namespace, plural = ""] = path ?? [];
    const group = KINDS[plural]?.group;
    if (group === undefined || prefix !== `${group === "v1" ? "/api" : "/apis"}/${group}`) {
      refuse(response, 404, "the server could not find the requested resource");
    } else if (namespace !== NAMESPACE) {
      const name = group === "v1" ? plural : `${plural}.discovery.k8s.io`;
      const who = `User "system:serviceaccount:${NAMESPACE}:web"`;
      refuse(response, 403, `${name} is forbidden: ${who} cannot list resource "${plural}"`);
    } else if (url.searchParams.has("watch")) this.#watch(url, plural, response);
    else this.#list(url, plural, response);
  }

  #list({ searchParams }: URL, plural: string, response: ServerResponse): void {
    const [version = String(this.#version), from = "0"] =
      searchParams.get("continue")?.split("/") ?? [];
    if (Number(version) < this.#oldest) {
      const text =
        "The provided continue parameter is too old to display a consistent list result.";
      json(response, 410, status(410, text, { continue: `-1/${from}` }));
      return;
    }
    const label = /^app=(.*)$/.exec(searchParams.get("labelSelector") ?? "app=web")?.[1];
    const all = [...this.#of(plural).values()].filter(
      ({ metadata }) => Reflect.get(metadata["labels"] as object, "app") === label,
    );
    const end = Number(from) + Number(searchParams.get("limit") ?? all.length);
    const isLast = end >= all.length;
    const metadata = {
      resourceVersion: version,
      ...(!isLast && { continue: `${version}/${end}` }),
    };
    const items = all.slice(Number(from), end);
    const { kind, group } = KINDS[plural] as Kind;
    json(response, 200, { kind: `${kind}List`, apiVersion: group, metadata, items });
  }

  #watch({ searchParams }: URL, watched: string, response: ServerResponse): void {
    const from = Number(searchParams.get("resourceVersion"));
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (from < this.#oldest) {
      const object = status(410, `too old resource version: ${from} (${this.#oldest})`);
      response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return;
    }
    for (const event of this.#events) {
      if (event.version > from && event.plural === watched) response.write(lineOf(event));
    }
    const seconds = Number(searchParams.get("timeoutSeconds"));
    const timer = setTimeout(() => response.end(), seconds * 1_000);
    response.on("close", () => clearTimeout(timer));
    // Of a version that is still to come nothing is told, not even that.
    if (from > this.#version) return;
    this.#watches.set(response, watched);
    response.on("close", () => this.#watches.delete(response));
  }
}

/** A line of a watch: there, unlike in lists, each object says of which kind it is. */
function lineOf({ plural, type, object }: Omit<Event, "version">): string {
  const { kind, group } = KINDS[plural] as Kind;
  return `${JSON.stringify({ type, object: { kind, apiVersion: group, ...object } })}\n`;
}

const REASONS: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  410: "Expired",
  500: "InternalError",
  503: "ServiceUnavailable",
};

function status(code: number, message: string, metadata: object = {}): object {
  const about = { kind: "Status", apiVersion: "v1", metadata, status: "Failure" };
  return { ...about, message, reason: REASONS[code], code };
}

/** Answers with an error of the API. */
export function refuse(response: ServerResponse, code: number, message: string): void {
  json(response, code, status(code, message));
}

/** Answers with an object. */
export function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
