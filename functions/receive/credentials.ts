/** Decides whether a request may post alerts. Pure; comparison time does not depend on where a guess differs. */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface Credentials {
  readonly tokens: readonly string[];
  /** `user:password`, or null. */
  readonly basic: string | null;
  readonly allowAnyone: boolean;
}

/** Whether an Authorization header value is good enough. */
export function isAuthorized(header: string | undefined, credentials: Credentials): boolean {
  if (credentials.allowAnyone) return true;
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(header ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return credentials.tokens.map((token) => equal(value, token)).includes(true);
    case 'basic':
      return (
        credentials.basic !== null && equal(Buffer.from(value, 'base64').toString('utf8'), credentials.basic)
      );
    default:
      return false;
  }
}

function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
