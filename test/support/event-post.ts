/** Posts a CloudEvent straight to a function, as a broker would. */
import { request } from 'node:http';

/** What a function answered: its status, and the event it replied with. */
export interface EventAnswer {
  readonly status: number;
  readonly id: string | undefined;
  readonly type: string | undefined;
}

/** Posts an event about a notice, with nothing in it but the id. */
export function postEvent(url: string, type: string, subject: string): Promise<EventAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<EventAnswer>();
  const outgoing = request(
    url,
    {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': `${subject}.test`,
        'ce-source': '/test',
        'ce-type': type,
        'ce-subject': subject,
      },
    },
    (incoming) => {
      const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
      incoming.resume().on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          id: text(incoming.headers['ce-id']),
          type: text(incoming.headers['ce-type']),
        }),
      );
    },
  );
  outgoing.on('error', reject);
  outgoing.end('{}');
  return promise;
}
