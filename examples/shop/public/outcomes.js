/** What each kind of job leaves on the page: elements made from its result. */
export const outcomes = { picture, report, mail }

function picture({ thumbnails }, title) {
  const row = create('div', { className: 'thumbnails' })
  row.append(...thumbnails.map((thumbnail) => figure(thumbnail, title)))
  return [row]
}

function figure({ size, url, width, height, bytes }, title) {
  const image = create('img', { src: url, width, height, alt: `${title}, ${size}` })
  const link = create('a', { href: url, target: '_blank' }, image)
  const caption = create('figcaption', {}, `${size} · ${width} × ${height} · ${Math.ceil(bytes / 1024)} KB`)
  return create('figure', { className: size }, link, caption)
}

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 })
const count = new Intl.NumberFormat('en')

function report({ by, orders, rows }) {
  const head = create('tr', {}, ...[by, 'orders', 'units', 'revenue'].map((name) => headCell(name, 'col')))
  const body = rows.map(({ name, orders, units, revenue }) => {
    const cells = [count.format(orders), count.format(units), money.format(revenue / 100)]
    return create('tr', {}, headCell(name, 'row'), ...cells.map((text) => create('td', {}, text)))
  })
  const caption = create('caption', {}, `${count.format(orders)} orders by ${by}`)
  const table = create('table', {}, caption, create('thead', {}, head), create('tbody', {}, ...body))
  return [create('div', { className: 'table', tabIndex: 0 }, table)]
}

function headCell(text, scope) {
  return create('th', { scope }, text)
}

function mail({ to, attempt }) {
  return [create('p', {}, `Delivered to ${to}, at attempt ${attempt}.`)]
}

function create(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties)
  element.append(...children)
  return element
}
