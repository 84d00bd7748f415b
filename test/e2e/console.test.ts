/**
 * The console as its own process, seen with Chromium: no script of ours, no horizontal scroll on the smallest phone,
 * nothing serious for axe in either theme, and a decision made and taken back by hand. SCREENSHOTS=folder keeps pictures.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reserveServices, startFunctions } from '../../eventing/local/functions.ts';
import type { Functions } from '../../eventing/local/functions.ts';
import { createPool } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { startBrowser, whyNoBrowser } from '../support/browser.ts';
import { seedConsole } from '../support/console-history.ts';
import { createTestDatabase } from '../support/database.ts';

const noBrowser = whyNoBrowser('the console in Chromium');
const TOKEN = 'token-of-the-console-tests';
const SCREENSHOTS = process.env['SCREENSHOTS'];
const AXE =
  noBrowser === null
    ? readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    : '';
/** Nothing listens there: what the console publishes is found by the sweep. */
const NO_BROKER = 'http://127.0.0.1:9';

interface AxeResult {
  readonly violations: ReadonlyArray<{
    id: string;
    impact: string | null;
    nodes: ReadonlyArray<{ html: string; failureSummary?: string }>;
  }>;
}

let pool: Pool;
let functions: Functions;
let browser: Browser;
let url: string;

describe.skipIf(noBrowser !== null)('the console in Chromium', () => {
  beforeAll(async () => {
    const databaseUrl = await createTestDatabase();
    pool = createPool({ url: databaseUrl, name: 'test', size: 2 });
    await seedConsole(pool);
    const services = await reserveServices(['console']);
    url = services['console'] ?? '';
    functions = await startFunctions({
      services,
      sink: NO_BROKER,
      env: {
        DATABASE_URL: databaseUrl,
        CONSOLE_TOKEN: TOKEN,
        CONSOLE_URL: url,
        NOTIFY_TIMEZONE: 'Europe/London',
        APP_LOG_LEVEL: 'warn',
      },
    });
    browser = await startBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await functions?.stop();
    await pool?.end();
  });

  const open = (options: {
    width: number;
    theme: 'light' | 'dark';
    script?: boolean;
  }): Promise<BrowserContext> =>
    browser.newContext({
      viewport: { width: options.width, height: 900 },
      colorScheme: options.theme,
      javaScriptEnabled: options.script ?? false,
      bypassCSP: options.script ?? false,
      baseURL: url,
      extraHTTPHeaders: { authorization: `Bearer ${TOKEN}` },
    });

  async function addresses(): Promise<Record<string, string>> {
    const { rows } = await pool.query<{ pattern: string }>(
      `select pattern from patterns where alertname = 'PostgresDown'`,
    );
    const { rows: nights } = await pool.query<{ window_start: Date; window_end: Date }>(
      'select window_start, window_end from digests order by window_end desc limit 1',
    );
    const [night] = nights;
    return {
      now: '/',
      issues: '/issues',
      issue: `/issues/${rows[0]?.pattern}`,
      digests: '/digests',
      digest: `/digests/${night?.window_start.toISOString()}/${night?.window_end.toISOString()}`,
      deliveries: '/deliveries',
      setup: '/setup',
      lost: '/nowhere',
    };
  }

  it.each([
    [320, 'light'],
    [320, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)(
    'has nothing serious for axe and no horizontal scroll at %i px, %s',
    async (width, theme) => {
      const context = await open({ width, theme, script: true });
      const page = await context.newPage();
      const problems: string[] = [];
      for (const [name, path] of Object.entries(await addresses())) {
        await page.goto(path);
        const overflow = await page.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        if (overflow > 0) problems.push(`${name}: ${overflow} px too wide`);
        await page.evaluate(AXE);
        const { violations } = await page.evaluate<AxeResult>(
          'axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })',
        );
        for (const { id, impact, nodes } of violations)
          problems.push(
            `${name}: ${id} (${impact ?? '?'}) ${nodes[0]?.html.slice(0, 160)} ${nodes[0]?.failureSummary?.slice(0, 200)}`,
          );
        if (SCREENSHOTS !== undefined) {
          mkdirSync(SCREENSHOTS, { recursive: true });
          await page.screenshot({ path: join(SCREENSHOTS, `${name}-${width}-${theme}.png`), fullPage: true });
        }
      }
      await context.close();
      expect(problems).toEqual([]);
    },
    120_000,
  );

  it('runs no script and asks no other address', async () => {
    const context = await open({ width: 1280, theme: 'light', script: true });
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    for (const path of Object.values(await addresses())) {
      await page.goto(path);
      expect(await page.locator('script').count(), path).toBe(0);
    }
    await context.close();
    expect(asked.filter((each) => !each.startsWith(url) && !each.startsWith('data:'))).toEqual([]);
  });

  it('signs a person in, records their decision, and takes it back, without JavaScript', async () => {
    const context = await browser.newContext({
      viewport: { width: 320, height: 700 },
      javaScriptEnabled: false,
      baseURL: url,
    });
    const page = await context.newPage();
    await page.goto('/issues?q=BackupLate');
    expect(page.url()).toContain('/sign-in');
    await page.fill('input[name=token]', TOKEN);
    await page.fill('input[name=name]', 'Ben');
    await page.press('input[name=token]', 'Enter');
    await page.waitForURL(/issues/);
    await page.getByRole('link', { name: 'BackupLate' }).click();
    await decide(page, 'Quiet', 'Known since spring');
    expect(await page.locator('main').innerText()).toContain('Recorded: quiet');
    expect(await page.locator('main').innerText()).toMatch(/quiet by Ben/);
    await decide(page, 'Take back', '');
    expect(await page.locator('main').innerText()).toContain('Recorded: taken back');
    await context.close();
  });

  it('shows times in the zone that a reader chose, from then on', async () => {
    const context = await open({ width: 320, theme: 'light' });
    const page = await context.newPage();
    await page.goto('/issues?q=Node');
    await page.fill('input[name=zone]', 'Asia/Tokyo');
    await page.getByRole('button', { name: 'Change zone' }).click();
    expect(await page.locator('input[name=q]').first().inputValue()).toBe('Node');
    await page.goto('/');
    expect(await page.locator('main').innerText()).toContain('GMT+9');
    await context.close();
  });

  it('sends a failed message again at a press', async () => {
    const context = await open({ width: 320, theme: 'dark' });
    const page = await context.newPage();
    await page.goto('/deliveries?status=dead');
    await page
      .getByRole('button', { name: /^Send again/ })
      .first()
      .click();
    expect(await page.locator('main').innerText()).toContain('It is planned for now');
    await context.close();
  });
});

async function decide(page: Page, kind: string, note: string): Promise<void> {
  await page.getByRole('radio', { name: new RegExp(`^${kind}`) }).check();
  await page.fill('input[name=note]', note);
  await page.getByRole('button', { name: 'Record' }).click();
  await page.waitForURL(/done=/);
}
