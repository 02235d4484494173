/**
 * A bucket of any S3-compatible store.
 *
 * @module
 */
import { S3mini, S3NetworkError, S3ServiceError } from "s3mini";
import { QumoError, reasonOf } from "../../../base/errors.ts";

/** A larger object is sent in several parts of this size. */
export const PART_BYTES = 8 * 1024 * 1024;

/** Statuses of 400 to 499 that may change soon: too slow, in conflict, too early, too many. */
const LATER = new Set([408, 409, 425, 429]);

/** The bucket did not do what was asked. */
export class BucketFailed extends QumoError {
  readonly code = "QUMO_BUCKET_FAILED";
  /** The bucket understood the request and will refuse it again. */
  readonly refused: boolean;
  constructor(what: string, cause: unknown) {
    super(`Cannot ${what}: ${whyOf(cause)}`, { cause });
    this.refused = cause instanceof S3ServiceError && cause.status >= 400 && cause.status < 500 &&
      !LATER.has(cause.status);
  }
}

/** The reason, in the words of the service if it gave any. */
function whyOf(cause: unknown): string {
  if (cause instanceof S3ServiceError) {
    return `it answers ${cause.serviceCode ?? "an error"} (${cause.status})`;
  }
  // Only the cause of a failed fetch says why.
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : undefined;
  if (cause instanceof S3NetworkError || cause instanceof TypeError) {
    return `it cannot be reached (${reasonOf(inner ?? cause)})`;
  }
  return reasonOf(cause);
}

export interface BucketOptions {
  /** With its scheme: "https://s3.eu-central-1.amazonaws.com". */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Longest time for one request, in milliseconds. */
  readonly requestTimeout: number;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
}

export class Bucket {
  /** For messages, without credentials. */
  readonly name: string;
  readonly #client: S3mini;

  constructor({ endpoint, bucket, requestTimeout, ...rest }: BucketOptions) {
    const url = new URL(endpoint);
    url.username =
      url.password =
      url.search =
      url.hash =
        "";
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${encodeURIComponent(bucket)}`;
    this.name = url.href;
    this.#client = new S3mini({
      ...rest,
      endpoint: url.href,
      requestSizeInBytes: PART_BYTES,
      minPartSize: PART_BYTES,
      requestAbortTimeout: requestTimeout,
    });
  }

  /** Checks that the bucket can be used. @throws {BucketFailed} */
  async check(prefix: string): Promise<void> {
    await this.#ask(`use the bucket ${this.name}`, async () => {
      const page = await this.#client.listObjectsPaged("/", prefix);
      if (page?.objects == null) throw new Error("there is none of that name");
    });
  }

  /** Stores an object, in several parts if it is large. @throws {BucketFailed} Nothing was stored. */
  async put(key: string, body: Uint8Array | string, type: string): Promise<void> {
    await this.#ask(`store ${key} in ${this.name}`, async () => {
      const data = typeof body === "string" ? new TextEncoder().encode(body) : body;
      const { ok, status } = await this.#client.putAnyObject(key, data, type);
      if (!ok) throw new Error(`it answers ${status}`);
    });
  }

  /** @returns `undefined` when there is none. @throws {BucketFailed} */
  async text(key: string): Promise<string | undefined> {
    return await this.#ask(
      `read ${key} of ${this.name}`,
      async () => await this.#client.getObject(key) ?? undefined,
    );
  }

  /** All objects whose key begins with this text. @throws {BucketFailed} */
  async list(prefix: string): Promise<StoredObject[]> {
    return await this.#ask(`list ${this.name}`, async () => {
      const found = await this.#client.listObjects("/", prefix) ?? [];
      return found.map(({ Key, Size }) => ({ key: Key, bytes: Number(Size) }));
    });
  }

  /** @throws {BucketFailed} Some may have been removed. */
  async delete(keys: readonly string[]): Promise<void> {
    await this.#ask(`delete objects of ${this.name}`, () => this.#client.deleteObjects([...keys]));
  }

  async #ask<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new BucketFailed(what, cause);
    }
  }
}
