/**
 * The two methods of the grpc-js rivals, of bytes: generated code would put protobuf on top of the
 * packing that every rival has.
 */

import grpc from "@grpc/grpc-js";

const asIs = (bytes) => bytes;

function method(name, requestStream) {
  return {
    path: `/bench.Sink/${name}`,
    requestStream,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

/** As a generic client and server take it. */
export const SERVICE = { stream: method("Stream", true), call: method("Call", false) };

/** The default window of 64 KiB is the largest part of what a stream of large messages costs. */
export const OPTIONS = Object.freeze({
  "grpc.max_receive_message_length": -1,
  "grpc-node.flow_control_window": 8 * 1024 * 1024,
});

/** A client of both methods. @param {string} address */
export function createClient(address) {
  const Client = grpc.makeGenericClientConstructor(SERVICE, "Sink");
  return new Client(address, grpc.credentials.createInsecure(), OPTIONS);
}

/**
 * Serves the methods on a loopback port of the system's choice; resolves with the address.
 *
 * @param {Record<string, (call: any, answer: any) => void>} handlers
 * @returns {Promise<string>}
 */
export function serve(handlers) {
  const server = new grpc.Server(OPTIONS);
  server.addService(SERVICE, handlers);
  return new Promise((resolve, reject) => {
    const onBound = (error, port) => (error ? reject(error) : resolve(`127.0.0.1:${port}`));
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), onBound);
  });
}
