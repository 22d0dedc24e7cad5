import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node'

/** Ends the output with one plain line, `N passed, N failed`, for whoever reads only that. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const passed = tests.filter((test) => test.result().state === 'passed').length
    const failed = tests.filter((test) => test.result().state === 'failed').length
    // A file that cannot be loaded has no tests, and an error outside a test belongs to none: both count as one.
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length
    // What goes wrong before any file is read, such as a server that does not start, is in none of these.
    const least = reason === 'passed' ? 0 : 1
    const again = tests.filter(
      (test) => (test.diagnostic()?.retryCount ?? 0) > 0 && test.result().state === 'passed',
    )
    process.once('exit', () => {
      for (const test of again)
        console.log(`passed at the second try: ${test.module.relativeModuleId} > ${test.fullName}`)
      console.log(`${passed} passed, ${Math.max(failed + broken, least)} failed`)
    })
  }
}
