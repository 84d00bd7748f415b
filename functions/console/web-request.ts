/** Between the wrapper's plain requests and the web's: what cannot be asked for is refused in words, not with a 500. */
import { InvalidInputError } from '../../shared/errors.ts';
import type { HttpReply, HttpRequest } from '../../shared/serve.ts';

/** What the pages, the links and the API are asked with. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** A request as the routes take it; an {@link InvalidInputError} for a method or a target that is none. */
export function toWebRequest({ method, path, query, headers, body }: HttpRequest): Request {
  if (!METHODS.has(method)) throw new InvalidInputError('nothing answers this method', 'method-not-allowed');
  const search = query.size > 0 ? `?${query.toString()}` : '';
  // A target may be anything that holds no space, an address of its own among them.
  const url = path.startsWith('/') ? URL.parse(`http://console${path}${search}`) : null;
  if (url === null) throw new InvalidInputError('the target of the request is no path', 'not-found');
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  const hasBody = method !== 'GET' && method !== 'HEAD' && body.length > 0;
  return new Request(url, {
    method,
    headers: pairs,
    ...(hasBody ? { body: new Uint8Array(body) } : {}),
  });
}

/** An answer as the wrapper sends it. */
export async function toReply(response: Response): Promise<HttpReply> {
  const cookies = response.headers.getSetCookie();
  return {
    status: response.status,
    headers: {
      ...Object.fromEntries(response.headers),
      // Cookies are the one header that cannot be folded into one line.
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
    },
    body: Buffer.from(await response.arrayBuffer()),
  };
}
