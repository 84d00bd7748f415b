/** The frame of pages that people without a sign-in see: no menu, nothing that leads on but what the page offers. */
import { html } from 'hono/html';
import type { Context } from 'hono';
import { createNonce, htmlDocument, securityHeaders } from './pages/layout.ts';
import type { Html } from './pages/layout.ts';
import { STYLE_SHEET } from './pages/style-sheet.ts';

const NARROW = `.top>div,main.narrow{max-width:34rem}
.narrow button{width:100%;justify-content:center}
.narrow ul{padding-left:1.125rem;margin-bottom:1.25rem}
.narrow .choices{margin-bottom:1.25rem}
.narrow .choices label{align-items:flex-start;padding:.375rem 0;line-height:1.375}
.narrow .choices input{flex:none;margin:.0625rem .625rem 0 0}
.narrow .choices .small{display:block}`.replaceAll('\n', '');

/** Answers with a page; extra headers win over those every page has. */
export async function answerPage(
  c: Context,
  status: 200 | 400 | 401 | 403 | 404 | 409 | 429,
  { title, content }: { readonly title: string; readonly content: Html },
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const nonce = createNonce();
  const text = await htmlDocument(
    { title, nonce, style: STYLE_SHEET + NARROW },
    html`<header class="top">
        <div><span class="brand">alertgest</span></div>
      </header>
      <main class="narrow">${content}</main>`,
  );
  return c.html(text.toString(), status, {
    ...securityHeaders(nonce),
    'x-robots-tag': 'noindex, nofollow',
    ...headers,
  });
}
