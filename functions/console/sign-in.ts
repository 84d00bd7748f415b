/**
 * Who may use the console and its API: whoever an authenticating proxy names, whoever has the console's token, or, where
 * that is said in words, anyone. Closed by default. The decision is pure; the middleware around it answers the rest.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { BlockList } from 'node:net';
import type { Context, MiddlewareHandler } from 'hono';
import { isOwnHost, isOwnSite, readCookie } from './form-guard.ts';
import { findOrigin } from './network.ts';
import type { Origin } from './network.ts';
import { readSession, toName } from './session.ts';

/** Somebody who may use the console. */
export interface User {
  readonly name: string;
  /** `open`: the console lets anyone in, so this is nobody in particular. */
  readonly how: 'proxy' | 'session' | 'token' | 'open';
}

/** What the server knows of a request besides the request itself. */
export interface Asked {
  readonly remoteAddress: string;
  readonly traceparent: string;
}

export interface ConsoleEnv {
  Bindings: Partial<Asked>;
  Variables: { user: User };
}

export interface SignInOptions {
  readonly token: string | null;
  readonly allowAnyone: boolean;
  /** The header in which a proxy names the user, and the proxies that may. */
  readonly userHeader: string | null;
  readonly proxies: BlockList;
  /** Cookies for https (and loopback); false where browsers would refuse them. */
  readonly secureCookies: boolean;
  /** Host of CONSOLE_URL; null when it is not set. */
  readonly ownHost?: string | null;
}

export interface SignIn {
  readonly options: SignInOptions;
  /** The user behind a request, or null. */
  whoIs(c: Context<ConsoleEnv>): User | null;
  /** Where a request came from. */
  originOf(c: Context<ConsoleEnv>): Origin;
  /** Lets users pass and puts them into `c.var.user`; others get 401, or the sign-in page when `page` is set. */
  require(kind: 'api' | 'page'): MiddlewareHandler<ConsoleEnv>;
}

/** What the server said of a request; nothing when it did not come through the server. */
export function askedBy(c: Context<ConsoleEnv>): Partial<Asked> {
  const asked: Partial<Asked> | undefined = c.env;
  return asked ?? {};
}

/** Name of the session's cookie, without the prefix that secure ones get. */
export const SESSION_COOKIE = 'alertgest-session';

/** Creates the check of one console. */
export function createSignIn(options: SignInOptions): SignIn {
  const originOf = (c: Context<ConsoleEnv>): Origin =>
    findOrigin(askedBy(c).remoteAddress ?? '', c.req.header('x-forwarded-for') ?? null, options.proxies);
  const whoIs = (c: Context<ConsoleEnv>): User | null =>
    decideUser(
      {
        authorization: c.req.header('authorization'),
        session: readCookie(c.req.header('cookie'), SESSION_COOKIE, options.secureCookies),
        named: options.userHeader === null ? undefined : c.req.header(options.userHeader),
        viaTrustedProxy: originOf(c).viaTrustedProxy,
        now: new Date(),
      },
      options,
    );
  return {
    options,
    originOf,
    whoIs,
    require: (kind) => async (c, next) => {
      const user = whoIs(c);
      if (user === null) return refuse(c, kind);
      // A browser sends cookies and a proxy's header for any site; a bearer token comes only from those who have it.
      const isRead = c.req.method === 'GET' || c.req.method === 'HEAD';
      if (!isRead && user.how !== 'token' && !isOwnSite(c.req.raw.headers))
        return c.json({ error: 'this request came from another site', reason: 'forbidden' }, 403);
      if (user.how === 'open' && !isOwnHost(c.req.raw.headers, options.ownHost ?? null))
        return c.json(
          { error: 'open this console by its address, or set CONSOLE_URL to this name', reason: 'forbidden' },
          403,
        );
      c.set('user', user);
      return next();
    },
  };
}

export interface Evidence {
  readonly authorization: string | undefined;
  /** Value of the session's cookie. */
  readonly session: string | undefined;
  /** Value of the proxy's header. */
  readonly named: string | undefined;
  readonly viaTrustedProxy: boolean;
  readonly now: Date;
}

/** Decides who it is. Pure; comparison time does not depend on where a guess differs. */
export function decideUser(
  { authorization, session, named, viaTrustedProxy, now }: Evidence,
  { token, allowAnyone }: Pick<SignInOptions, 'token' | 'allowAnyone'>,
): User | null {
  const bearer = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token !== null && bearer !== undefined && isEqual(bearer, token))
    return { name: 'console token', how: 'token' };
  if (named !== undefined && named.trim() !== '' && viaTrustedProxy)
    return { name: toName(named), how: 'proxy' };
  const name = token === null || session === undefined ? null : readSession(token, session, now);
  if (name !== null) return { name, how: 'session' };
  return allowAnyone ? { name: 'anyone', how: 'open' } : null;
}

/** Whether a person of whom we know who it is stands behind a decision. */
export function isPerson(user: User | null): user is User {
  return user !== null && (user.how === 'proxy' || user.how === 'session');
}

/** Compares a guess with a secret. */
export function isEqual(guess: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(guess), digest(secret));
}

function refuse(c: Context<ConsoleEnv>, kind: 'api' | 'page'): Response {
  if (kind === 'page' && c.req.method === 'GET') {
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`/sign-in?next=${encodeURIComponent(pathname + search)}`, 303);
  }
  return c.json({ error: 'sign in, or send the bearer token CONSOLE_TOKEN', reason: 'unauthorized' }, 401, {
    'www-authenticate': 'Bearer realm="alertgest"',
    'cache-control': 'no-store',
  });
}
