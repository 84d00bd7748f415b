/** From the push on the phone to silence and back, with everything running and a real browser. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, whyNoBrowser } from '../support/browser.ts';
import { makeFiring, resolved, startTestMachine } from '../support/machine.ts';
import type { TestAlert, TestMachine } from '../support/machine.ts';
import type { Push } from '../support/sinks.ts';

interface Action {
  readonly action: string;
  readonly label: string;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly clear?: boolean;
}

const noBrowser = whyNoBrowser('decision links in a browser');

let machine: TestMachine;
let browser: Browser | undefined;

beforeAll(async () => {
  machine = await startTestMachine();
  if (noBrowser === null) browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await machine.stop();
});

const actionsOf = (push: Push | undefined): readonly Action[] => (push?.raw['actions'] ?? []) as Action[];
const pushesOf = (alert: TestAlert): readonly Push[] =>
  machine.sink.pushes.filter(({ title }) => title.includes(alert.labels['alertname'] ?? ''));

/** Ends the alert and fires it again, as a new incident. */
async function fireAgain(alert: TestAlert): Promise<TestAlert> {
  await machine.post([resolved(alert)]);
  await machine.settle();
  const again = { ...alert, startsAt: new Date(Date.now() + 1).toISOString() };
  await machine.post([again]);
  await machine.settle();
  return again;
}

async function fire(labels: Record<string, string> = {}): Promise<TestAlert> {
  const alert = makeFiring(labels);
  await machine.post([alert]);
  await machine.settle();
  return alert;
}

let networks = 0;
/** As from a network of its own: one network that uses many links at once is refused. */
const fromElsewhere = (): Record<string, string> => ({ 'x-forwarded-for': `198.51.${++networks}.7` });

/** Presses a button of ntfy as its app does. */
const press = (action: Action | undefined): Promise<Response> =>
  fetch(action?.url ?? '', {
    method: action?.method ?? 'GET',
    headers: { ...action?.headers, ...fromElsewhere() },
  });

describe('the link in a push', () => {
  it.skipIf(noBrowser !== null)('makes an issue quiet with one tap and loud again with another', async () => {
    const alert = await fire();
    const [first] = pushesOf(alert);
    const page = await openPage(first?.link);
    expect(await page.textContent('h1')).toBe('Not concerning?');
    await page.getByText('7 days').click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    expect(await page.textContent('h1')).toMatch(/^Ignored\s+until \w{3}/);
    await machine.settle();
    const [, told] = pushesOf(alert);
    expect(told?.title).toContain('🔕');
    expect(told?.text).toMatch(/^Ignored until \d+ \w+ [\d:]+ UTC by a tap in ntfy · Undo$/m);
    expect(told?.key).toBe(first?.key);

    await fireAgain(alert);
    expect(pushesOf(alert)).toHaveLength(2);

    await page.goto(told?.link ?? '');
    expect(await page.textContent('h1')).toBe('Undo the decision?');
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(await page.textContent('h1')).toBe('Undone');
    await machine.sweep();
    await machine.settle();
    expect(pushesOf(alert)).toHaveLength(3);
    expect(pushesOf(alert)[2]?.text).toContain('decision revoked');
    await page.context().close();
  });

  it.skipIf(noBrowser !== null)(
    'is undone from the page that confirms it, and then does nothing more',
    async () => {
      const alert = await fire();
      const page = await openPage(pushesOf(alert)[0]?.link);
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByRole('button', { name: 'Undo' }).click();
      expect(await page.textContent('h1')).toBe('Undone');
      await page.goto(pushesOf(alert)[0]?.link ?? '');
      expect(await page.textContent('h1')).toBe('This link does nothing any more');
      await machine.settle();
      await fireAgain(alert);
      expect(pushesOf(alert).at(-1)?.title).toMatch(/^🟠/);
      await page.context().close();
    },
  );

  it.skipIf(noBrowser !== null)('cannot be used by a page of another site', async () => {
    const alert = await fire();
    const link = pushesOf(alert)[0]?.link ?? '';
    const page = await openPage(link);
    await page.route('http://evil.test/', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${link}"><input name="kind" value="ignore"><input name="term" value="1d"><button>x</button></form>`,
      }),
    );
    await page.goto('http://evil.test/');
    await page.getByRole('button').click();
    await page.waitForURL(link);
    expect(await page.textContent('[role=alert]')).toContain('Nothing was changed');
    expect(
      await machine.query(
        'select 1 from decision_links where used_at is not null and notice in (select id from notices n join patterns p using (pattern) where p.alertname = $1)',
        [alert.labels['alertname']],
      ),
    ).toEqual([]);
    await page.context().close();
  });

  it('is a button in ntfy that posts its token in a header, works once, and has an undo of its own', async () => {
    const alert = await fire();
    const [button, details] = actionsOf(pushesOf(alert)[0]);
    expect(button).toMatchObject({ action: 'http', label: 'Not concerning', method: 'POST', clear: true });
    expect(button?.url).toBe(`${machine.machine.url}/d`);
    expect(details).toMatchObject({ action: 'view', label: 'Details' });
    expect((await press(button)).status).toBe(200);
    expect((await press(button)).status).toBe(404);
    await machine.settle();
    const told = pushesOf(alert)[1];
    expect(told?.text).toContain('Ignored until it changes by a tap in ntfy');
    const again = await fireAgain(alert);
    expect(pushesOf(alert)).toHaveLength(2);

    const [undo] = actionsOf(told);
    expect(undo).toMatchObject({ action: 'http', label: 'Undo' });
    expect((await press(undo)).status).toBe(200);
    await machine.sweep();
    await machine.settle();
    expect(pushesOf(alert)).toHaveLength(3);
    await fireAgain(again);
    expect(pushesOf(alert)).toHaveLength(4);
  });

  it('tells of an undo when nothing fires', async () => {
    const alert = await fire();
    await press(actionsOf(pushesOf(alert)[0])[0]);
    await machine.post([resolved(alert)]);
    await machine.settle();
    await press(actionsOf(pushesOf(alert)[1])[0]);
    await machine.settle();
    expect(pushesOf(alert)).toHaveLength(3);
    expect(pushesOf(alert)[2]?.text).toMatch(/^Told again as before by a tap in ntfy$/m);
  });

  it('only shows details for a critical', async () => {
    const alert = await fire({ severity: 'critical' });
    expect(actionsOf(pushesOf(alert)[0]).map(({ action, label }) => `${action} ${label}`)).toEqual([
      'view Details',
    ]);
    expect(
      await machine.query(
        `select 1 from decision_links l join patterns p using (pattern) where p.severity = 'critical'`,
      ),
    ).toEqual([]);
  });
});

/** Opens a page in a browser of its own, without scripts. */
async function openPage(url: string | null | undefined): Promise<Page> {
  if (browser === undefined) throw new Error('no browser');
  const context = await browser.newContext({
    javaScriptEnabled: false,
    extraHTTPHeaders: fromElsewhere(),
  });
  const page = await context.newPage();
  await page.goto(url ?? '');
  return page;
}
