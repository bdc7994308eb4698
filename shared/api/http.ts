/**
 * HTTP as the API server sees it: values only, so that one function answers behind node:https,
 * behind a Lambda and in tests. Does not own sockets, TLS or streaming: those are adapters'.
 */

export interface ApiRequest {
  /** In upper case. */
  readonly method: string;
  /** The path as it was sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: Uint8Array;
  /** Aborts when the client is gone: streams end. */
  readonly signal: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | readonly string[] };
  /** A stream is pulled: what the client does not take is not produced. */
  readonly body: string | AsyncIterable<string | Uint8Array>;
  /**
   * With status 101: the connection becomes a WebSocket, which `run` talks over until it is done.
   */
  readonly upgrade?: Upgrade;
}

export interface Upgrade {
  /** The subprotocol that was chosen of those that the client offered. */
  readonly protocol: string;
  readonly run: (socket: ApiSocket) => Promise<void>;
}

/** A connection that goes both ways, in messages. */
export interface ApiSocket {
  /** Ends when the client closes or is gone. */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Resolves once the client has taken enough for more to be sent. */
  send(message: Uint8Array): Promise<void>;
}

/** Answers every request; never rejects. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse>;

/** Who asks. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** As kube-apiserver: enough for any object (1 MiB) with room for its encoding. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;
