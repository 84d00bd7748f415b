/** /sign-in: a person gives the console's token once and stays signed in; /sign-out ends it. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Logger } from '../../shared/log.ts';
import { FORM_FIELD, isOwnForm, openForm, writeCookie } from './form-guard.ts';
import { answerPage } from './frame.ts';
import { networkOf } from './network.ts';
import type { Html } from './pages/layout.ts';
import { SESSION_S, signSession } from './session.ts';
import { SESSION_COOKIE, isEqual } from './sign-in.ts';
import type { ConsoleEnv, SignIn } from './sign-in.ts';

const SUBJECT = 'sign-in';

/** Creates the routes /sign-in and /sign-out. */
export function createSignInRoutes(signIn: SignIn, log: Logger): Hono<ConsoleEnv> {
  const app = new Hono<ConsoleEnv>();
  const { token, secureCookies: secure } = signIn.options;

  app.get('/sign-in', (c) => show(c, 200, null, c.req.query('next')));

  app.post('/sign-in', async (c) => {
    const form: Record<string, unknown> = await c.req.parseBody().catch(() => ({}));
    const next = typeof form['next'] === 'string' ? form['next'] : undefined;
    if (!isOwnForm(c.req.raw.headers, SUBJECT, form[FORM_FIELD], secure))
      return show(c, 403, 'Your browser did not send back this page’s cookie. Please try again.', next);
    const given = typeof form['token'] === 'string' ? form['token'].trim() : '';
    if (token === null || !isEqual(given, token)) {
      log.warn({ network: networkOf(signIn.originOf(c).client) }, 'sign-in refused');
      return show(c, 401, 'That is not the console’s token.', next);
    }
    const name = typeof form['name'] === 'string' ? form['name'] : '';
    const cookie = writeCookie(SESSION_COOKIE, signSession(token, name, new Date()), {
      maxAgeS: SESSION_S,
      sameSite: 'Lax',
      secure,
    });
    return c.body(null, 303, {
      location: toLocalPath(next),
      'set-cookie': cookie,
      'cache-control': 'no-store',
    });
  });

  app.post('/sign-out', signIn.require('page'), (c) =>
    c.body(null, 303, {
      location: '/sign-in',
      'set-cookie': writeCookie(SESSION_COOKIE, '', { maxAgeS: 0, sameSite: 'Lax', secure }),
    }),
  );
  return app;

  function show(
    c: Context<ConsoleEnv>,
    status: 200 | 401 | 403,
    problem: string | null,
    next: string | undefined,
  ): Promise<Response> {
    const { field, cookie } = openForm(c.req.raw.headers, SUBJECT, secure);
    const content = token === null ? toClosed() : toForm(field, toLocalPath(next), problem);
    return answerPage(c, status, { title: 'Sign in', content }, { 'set-cookie': cookie });
  }
}

/** The path to go to after the sign-in: one of ours, whatever the link said. */
export function toLocalPath(next: string | undefined): string {
  const url = next === undefined || !next.startsWith('/') ? null : URL.parse(next, 'http://console');
  return url === null || url.host !== 'console'
    ? '/'
    : `${url.pathname}${url.search}`.replace(/^\/{2,}/, '/');
}

function toForm(field: string, next: string, problem: string | null): Html {
  return html`<h1>Sign in</h1>
    ${problem === null ? '' : html`<p class="card loud" role="alert">${problem}</p>`}
    <form method="post" action="/sign-in" class="card">
      <p>
        <label class="wide"
          >The console’s token <input name="token" type="password" autocomplete="current-password" required
        /></label>
      </p>
      <p>
        <label class="wide"
          >Your name, as the log of decisions shows it (optional)
          <input name="name" autocomplete="name" maxlength="80"
        /></label>
      </p>
      <input type="hidden" name="next" value="${next}" />
      <input type="hidden" name="${FORM_FIELD}" value="${field}" />
      <button>Sign in</button>
    </form>
    <p class="small muted">
      Whoever runs alertgest set the token as CONSOLE_TOKEN. A sign-in lasts 30 days.
    </p>`;
}

function toClosed(): Html {
  return html`<h1>Sign in</h1>
    <p class="card">
      There is no sign-in by token here: this console expects you to come through its proxy.
    </p>`;
}
