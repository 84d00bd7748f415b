/** A database of its own for a test file, cloned from the migrated template; KEEP_DATABASES=true keeps it. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, inject } from 'vitest';

/** Creates the database and drops it after the file's tests; answers its URL. */
export async function createTestDatabase(): Promise<string> {
  const adminUrl = inject('adminUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await admin(adminUrl, `create database ${name} template alertgest_template`);
  afterAll(async () => {
    if (process.env['KEEP_DATABASES'] === 'true') process.stderr.write(`kept database ${name}\n`);
    else await admin(adminUrl, `drop database if exists ${name} with (force)`);
  });
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
