/** Reads request bodies within limits of size and pace, before any parser sees them. */
import type { IncomingMessage } from 'node:http';
import { AppError, InvalidInputError } from './errors.ts';

/** Largest request body, in bytes; a larger one is answered 413 and, at receive, recorded as rejected. */
const BODY_LIMIT = 16 * 1024 * 1024;
/** A body that has not brought this many bytes a second after the grace is cut with 408. */
const SLOWEST_BYTES_PER_S = 1_024;
const SLOW_GRACE_MS = 4_000;

/** The whole body; throws an AppError for one that is encoded, too large or too slow. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new InvalidInputError(
      `content-encoding ${encoding.slice(0, 32)} is not accepted; send plain JSON`,
      'unsupported-media-type',
    );
  const chunks: Buffer[] = [];
  let size = 0;
  const startedAt = Date.now();
  return new Promise((resolve, reject) => {
    const watch = setInterval(() => {
      const elapsedMs = Date.now() - startedAt;
      if (elapsedMs >= SLOW_GRACE_MS && size < (elapsedMs / 1_000) * SLOWEST_BYTES_PER_S) {
        fail(new AppError('request-timeout', 'the body came slower than 1 KiB a second'));
      }
    }, 1_000);
    const stop = (): void => {
      clearInterval(watch);
      request.removeListener('data', onData);
    };
    const fail = (error: Error): void => {
      stop();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > BODY_LIMIT)
        fail(new InvalidInputError(`the body is larger than ${BODY_LIMIT} bytes`, 'too-large'));
      else chunks.push(chunk);
    };
    request.on('data', onData);
    request.on('end', () => {
      stop();
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
    request.on('error', fail);
  });
}
