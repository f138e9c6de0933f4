/** Adds up what ran: node count.mjs FAILED_STEPS VITEST_JSON... PYTEST_XML... Exits 1 when anything failed or did not run. */
import { existsSync, readFileSync } from 'node:fs';

const [failedSteps = '0', ...given] = process.argv.slice(2);
const reports = given.filter((file) => existsSync(file));
const counts = { passed: 0, failed: 0, notRun: 0 };

for (const vitestFile of reports.filter((file) => file.endsWith('.json'))) {
  const report = JSON.parse(readFileSync(vitestFile, 'utf8'));
  counts.passed += report.numPassedTests;
  counts.failed += report.numFailedTests;
  // A file that fails to load has no tests of its own to count.
  counts.failed += report.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ file) =>
      file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  counts.notRun += report.numPendingTests + report.numTodoTests;
}
for (const pytestFile of reports.filter((file) => file.endsWith('.xml'))) {
  const suite = readFileSync(pytestFile, 'utf8').match(/<testsuite [^>]*>/)?.[0] ?? '';
  const attribute = (/** @type {string} */ name) => Number(suite.match(`${name}="(\\d+)"`)?.[1] ?? 0);
  const failed = attribute('failures') + attribute('errors');
  counts.failed += failed;
  counts.notRun += attribute('skipped');
  counts.passed += attribute('tests') - failed - attribute('skipped');
}

if (Number(failedSteps) > 0) console.log(`${failedSteps} step(s) failed, see above`);
if (counts.notRun > 0) console.log(`${counts.notRun} test(s) were skipped, which counts as a failure here`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed + counts.notRun + Number(failedSteps) > 0 || counts.passed === 0 ? 1 : 0);
