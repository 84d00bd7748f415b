/** What all routes of the pages share: who reads and in which zone, the answer's headers, and forms that are our own. */
import type { Context } from 'hono';
import { html } from 'hono/html';
import { FORM_FIELD, isOwnForm, openForm, readCookie, writeCookie } from '../form-guard.ts';
import type { ConsoleEnv, SignIn } from '../sign-in.ts';
import { createNonce, isZone, securityHeaders } from './layout.ts';
import type { Html } from './layout.ts';
import type { View } from './view.ts';

/** What forms of the pages act on; binds their values to the pages. */
const FORMS = 'pages';
const ZONE_COOKIE = 'alertgest-zone';
const ZONE_COOKIE_S = 365 * 86_400;

type Status = 200 | 400 | 403 | 404 | 500 | 503;

/** Reads who asks and answers with a page. */
export interface Reader {
  /** Sets the form's cookie, and the zone's where one was chosen. */
  readonly toView: (c: Context<ConsoleEnv>) => View;
  readonly show: (c: Context<ConsoleEnv>, view: View, content: Html, status?: Status) => Promise<Response>;
  /** The posted fields, when the form was opened here; null otherwise. */
  readonly readForm: (c: Context<ConsoleEnv>) => Promise<Readonly<Record<string, unknown>> | null>;
}

/** Creates it; `zone` is that of readers who chose none. */
export function createReader({ signIn, zone }: { signIn: SignIn; zone: string }): Reader {
  const byDefault = isZone(zone) ? zone : 'UTC';
  const secure = signIn.options.secureCookies;
  return {
    toView(c) {
      const { zone: chosen, ...rest } = c.req.query();
      const known = readCookie(c.req.header('cookie'), ZONE_COOKIE, secure);
      const wanted = [chosen, known === undefined ? undefined : decodeZone(known)];
      const zone = wanted.find((name) => name !== undefined && isZone(name)) ?? byDefault;
      if (zone === chosen)
        c.header(
          'set-cookie',
          writeCookie(ZONE_COOKIE, encodeURIComponent(zone), {
            maxAgeS: ZONE_COOKIE_S,
            sameSite: 'Lax',
            secure,
          }),
          { append: true },
        );
      const form = openForm(c.req.raw.headers, FORMS, secure);
      c.header('set-cookie', form.cookie, { append: true });
      const user = signIn.whoIs(c);
      return {
        zone,
        nonce: createNonce(),
        user: user === null || user.how === 'open' ? null : user.name,
        canSignOut: user?.how === 'session',
        formFields: html`<input type="hidden" name="${FORM_FIELD}" value="${form.field}" />`,
        keep: c.req.method === 'GET' ? Object.entries(rest) : [],
        now: new Date(),
      };
    },
    async show(c, view, content, status = 200) {
      for (const [name, value] of Object.entries(securityHeaders(view.nonce, 'same-origin')))
        c.header(name, value);
      return c.html(withoutIndentation(String(await content)), status);
    },
    async readForm(c) {
      const fields: Record<string, unknown> = await c.req.parseBody().catch(() => ({}));
      return isOwnForm(c.req.raw.headers, FORMS, fields[FORM_FIELD], secure) ? fields : null;
    },
  };
}

/** Leaves out the indentation of our templates, a third of a page; what is in `pre` stays as it is. */
function withoutIndentation(text: string): string {
  return text
    .split(/(<pre[\s\S]*?<\/pre>)/)
    .map((part) => (part.startsWith('<pre') ? part : part.replaceAll(/\s+/g, ' ')))
    .join('');
}

function decodeZone(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
