// Reads vitest's JSON reports for .ci/run: the files that failed, or what failed and the counts, which come last so that
// a cut log still has them.
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');

/** More than these are no accident. */
const MOST_AGAIN = 5;

const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null);
const isFailed = ({ status, assertionResults }) =>
  status === 'failed' || assertionResults.some((test) => test.status === 'failed');

const [what, ...rest] = process.argv.slice(2);
if (what === 'failed') {
  const files = (read(rest[0])?.testResults ?? [])
    .filter(isFailed)
    .map(({ name }) => path.relative('.', name));
  console.log(files.length <= MOST_AGAIN ? files.join(' ') : '');
} else {
  const [checks, ...reports] = rest;
  const [first, second] = reports.map(read);
  for (const [report, words] of [
    [first, 'FAILED'],
    [second, 'FAILED AGAIN'],
  ]) {
    for (const { name, message, assertionResults } of report?.testResults ?? []) {
      if (message) console.log(`${path.relative('.', name)}: ${message.slice(0, 1500)}`);
      for (const { status, fullName, failureMessages } of assertionResults)
        if (status === 'failed')
          console.log(
            `${words} ${path.relative('.', name)} > ${fullName}\n${failureMessages.join('\n').slice(0, 3000)}`,
          );
    }
  }
  const files = (report) => new Set((report?.testResults ?? []).map(({ name }) => name));
  const again = files(second);
  // The second run counts for the files that it ran.
  const results = [
    ...(first?.testResults ?? []).filter(({ name }) => !again.has(name)),
    ...(second?.testResults ?? []),
  ];
  const count = (status) =>
    results.flatMap(({ assertionResults }) => assertionResults).filter((test) => test.status === status)
      .length;
  const broken = results.filter((file) => isFailed(file) && file.assertionResults.length === 0).length;
  const failed = count('failed') + broken + Number(checks) + (first === null ? 1 : 0);
  if (again.size > 0) console.log(`${again.size} files were run twice`);
  console.log(`${count('passed')} passed, ${failed} failed, ${count('pending') + count('skipped')} skipped`);
}
