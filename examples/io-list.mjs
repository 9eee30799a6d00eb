// A page that is put together from parts and never joined: the socket gets all of them in one
// vectored write, and a process of another node gets the same list as bytes.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { Foundation, ioList } from "foundation-runtime";

const rows = ["ada", "bob", "eve"].map((name) => ["<li>", name, "</li>"]);
const body = ioList("<ul>", rows, "</ul>\n");
const page = ioList(`HTTP/1.1 200 OK\r\nContent-Length: ${body.byteLength}\r\n\r\n`, body);

const server = createServer(async (socket) => {
  await page.writeTo(socket, { timeoutMs: 5_000 });
  socket.end();
}).listen(0, "127.0.0.1");
await once(server, "listening");
const answer = await text(connect(server.address().port, "127.0.0.1"));
console.log(`${page.parts.length} parts, ${page.byteLength} bytes`);
console.log(answer.split("\r\n\r\n")[1]?.trim());
server.close();

const here = await Foundation.start({ name: "here" });
const there = await Foundation.start({ name: "there", seeds: [here.address] });
await here.awaitReady({ minimumMembers: 2 });
there.beam.processes.spawn((bytes) => bytes.length, { name: "size" });
const size = await here.beam.processes.call({ node: "there", name: "size" }, body);
console.log(`the process got ${size} bytes`);
await there.leave();
await here.leave();
