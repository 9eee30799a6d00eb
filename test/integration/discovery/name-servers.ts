import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";

/** A real name server with one zone, `cluster.local`, that a test changes. */
export abstract class NameServer {
  readonly folder: string;
  readonly port: number;
  #process: ServerProcess | undefined;

  protected constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** What resolvers call it. */
  get resolver(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it; false where the program is not installed. */
  async open(): Promise<boolean> {
    this.#process = await this.start();
    return this.#process !== undefined;
  }

  /** The running server. */
  get process(): ServerProcess {
    if (this.#process === undefined) throw new Error("the name server does not run");
    return this.#process;
  }

  /** Ends it and removes its files. */
  async close(): Promise<void> {
    await this.#process?.kill();
    await rm(this.folder, { recursive: true });
  }

  protected abstract start(): Promise<ServerProcess | undefined>;
}

const place = async (): Promise<[folder: string, port: number]> => [
  await mkdtemp(join(tmpdir(), "foundation-names-")),
  await freePort(),
];

/** dnsmasq with a hosts file. */
export class Dnsmasq extends NameServer {
  static async start(): Promise<Dnsmasq | undefined> {
    const server = new Dnsmasq(...(await place()));
    await writeFile(join(server.folder, "hosts"), "");
    return (await server.open()) ? server : undefined;
  }

  protected override async start(): Promise<ServerProcess | undefined> {
    const options = [
      ...["--no-daemon", "--conf-file=/dev/null", `--port=${this.port}`, "--bind-interfaces"],
      ...["--listen-address=127.0.0.1", "--no-resolv", "--no-hosts", "--local=/cluster.local/"],
      ...[`--addn-hosts=${join(this.folder, "hosts")}`, "--pid-file=", "--user=", "--group="],
      "--txt-record=text.cluster.local,nothing else",
    ];
    return ServerProcess.start("dnsmasq", options, /read .*hosts/);
  }

  /** Has that name stand for these IP addresses alone. */
  async publish(name: string, addresses: readonly string[]): Promise<void> {
    const lines = addresses.map((address) => `${address} ${name}\n`);
    await writeFile(join(this.folder, "hosts"), lines.join(""));
    await this.process.reload(/read .*hosts/);
  }
}

/** BIND with the zones `cluster.local` and `broken.test`, whose file is none. */
export class Bind extends NameServer {
  #serial = 0;

  static async start(): Promise<Bind | undefined> {
    const server = new Bind(...(await place()));
    await writeFile(
      join(server.folder, "named.conf"),
      `options {
        directory "${server.folder}"; pid-file none; recursion no;
        listen-on port ${server.port} { 127.0.0.1; }; listen-on-v6 { none; };
        dnssec-validation no; querylog no; check-names primary ignore; check-srv-cname ignore;
      };
      controls { };
      zone "cluster.local" { type primary; file "zone"; check-integrity no; };
      zone "broken.test" { type primary; file "nothing"; };`,
    );
    await server.#write([]);
    return (await server.open()) ? server : undefined;
  }

  protected override async start(): Promise<ServerProcess | undefined> {
    const options = ["-g", "-n", "1", "-c", join(this.folder, "named.conf")];
    return ServerProcess.start("named", options, / running$/);
  }

  async #write(records: readonly string[]): Promise<void> {
    const soa = `@ 0 IN SOA ns.cluster.local. admin.cluster.local. ${++this.#serial} 60 60 60 0`;
    const all = ["$TTL 0", soa, "@ IN NS ns.cluster.local.", "ns IN A 127.0.0.1", ...records];
    await writeFile(join(this.folder, "zone"), `${all.join("\n")}\n`);
  }

  /** Has the zone hold these records alone, written as in its file. */
  async publish(records: readonly string[]): Promise<void> {
    await this.#write(records);
    await this.process.reload(new RegExp(`zone cluster.local/IN: loaded serial ${this.#serial}$`));
  }
}

/** The record of an address. */
export function addressRecord(name: string, address: string): string {
  return `${name} IN ${isIPv6(address) ? "AAAA" : "A"} ${address}`;
}

/** What a question asks for. */
export interface Question {
  /** 1 for A, 28 for AAAA. */
  readonly type: number;
  /** The message as it came. */
  readonly message: Buffer;
}

/**
 * A name server by hand, for what no real one does. `answer` gives the message that goes back, or
 * none. Answers the address for resolvers, and what closes it.
 */
export async function handNameServer(
  answer: (question: Question) => Buffer | undefined,
): Promise<{ readonly resolver: string; close(): Promise<void> }> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    const reply = answer({ type: message.readUInt16BE(endOfName(message)), message });
    if (reply !== undefined) socket.send(reply, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    resolver: `127.0.0.1:${socket.address().port}`,
    close: async () => {
      socket.close();
      await once(socket, "close");
    },
  };
}

function endOfName(message: Buffer): number {
  let at = 12;
  while (message[at] !== 0) at += 1 + (message[at] as number);
  return at + 1;
}

/** The message that answers with a code and IPv4 addresses. */
export function reply({ message }: Question, code: number, addresses: readonly string[]): Buffer {
  const end = endOfName(message) + 4;
  const head = Buffer.from(message.subarray(0, end));
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(addresses.length, 6);
  // Neither authority nor additional records: the question's own are not sent back.
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const record = Buffer.from("c00c000100010000000000040000000000000000", "hex").subarray(0, 16);
    Buffer.from(address.split(".").map(Number)).copy(record, 12);
    return record;
  });
  return Buffer.concat([head, ...records]);
}
