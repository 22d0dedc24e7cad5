import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { shellWord } from '../../src/job/shell-word.js'

test.each(['mail', 'a/b?c#d', "it's", '$(reboot)', '`id`', 'a b', '', '-rf', "'-fetch(0)-'"])(
  'a shell takes %j for one word',
  (text) => {
    const told = execFileSync('sh', ['-c', `printf '%s|' ${shellWord(text)}`], { encoding: 'utf8' })
    expect(told).toBe(`${text}|`)
  },
)
