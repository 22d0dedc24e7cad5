import type { Reporter, TestModule } from 'vitest/node'

/** Ends the output with one plain line, `N passed, N failed`, for whoever reads only that. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const passed = tests.filter((test) => test.result().state === 'passed').length
    const failed = tests.filter((test) => test.result().state === 'failed').length
    // A file that cannot be loaded has no tests, and an error outside a test belongs to none: both count as one.
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length
    process.once('exit', () => console.log(`${passed} passed, ${failed + broken} failed`))
  }
}
