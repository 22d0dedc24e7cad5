// Painted harbour.jpg: npx tsx examples/shop/samples/make-picture.ts
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

const [width, height] = [1600, 1067]

const scene = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1600 1067">
  <defs>
    <linearGradient id="sky" x2="0" y2="1">
      <stop offset="0" stop-color="#2b3f6e"/><stop offset=".45" stop-color="#c96f6c"/><stop offset=".62" stop-color="#ffc27a"/>
    </linearGradient>
    <linearGradient id="sea" x2="0" y2="1"><stop offset="0" stop-color="#e79a6b"/><stop offset=".3" stop-color="#7a5a78"/><stop offset="1" stop-color="#16233f"/></linearGradient>
    <radialGradient id="glow"><stop offset="0" stop-color="#fff6d8"/><stop offset=".16" stop-color="#ffe2a0" stop-opacity=".95"/><stop offset="1" stop-color="#ffb469" stop-opacity="0"/></radialGradient>
    <filter id="haze"><feGaussianBlur stdDeviation="5"/></filter>
    <filter id="ripple"><feTurbulence baseFrequency=".006 .09" numOctaves="3" seed="7"/><feColorMatrix values="0 0 0 0 1  0 0 0 0 .82  0 0 0 0 .6  1.6 0 0 0 -.72"/></filter>
  </defs>
  <rect width="1600" height="660" fill="url(#sky)"/>
  <circle cx="1060" cy="560" r="420" fill="url(#glow)"/>
  <g filter="url(#haze)">
    <path d="M0 610 L180 500 L330 575 L520 430 L760 590 L930 540 L1240 610 L1600 520 V680 H0Z" fill="#6b4a68" opacity=".75"/>
    <path d="M0 640 L260 560 L420 620 L700 585 L900 645 L1320 600 L1600 640 V690 H0Z" fill="#43335a"/>
  </g>
  <rect y="655" width="1600" height="412" fill="url(#sea)"/>
  <rect y="655" width="1600" height="412" filter="url(#ripple)" opacity=".5"/>
  <path d="M1020 655 L1100 655 L1240 1067 L860 1067Z" fill="#ffe0a3" opacity=".32" filter="url(#haze)"/>
  ${boat(420, 760, 1.25)}${boat(760, 700, 0.6)}${boat(1330, 720, 0.8)}
</svg>`

await sharp(Buffer.from(scene))
  .resize(width, height)
  .composite([{ input: await grain(), blend: 'soft-light' }])
  .jpeg({ quality: 72, mozjpeg: true })
  .toFile(fileURLToPath(new URL('harbour.jpg', import.meta.url)))

function boat(x: number, y: number, scale: number): string {
  return `<g transform="translate(${x} ${y}) scale(${scale})">
    <path d="M-110 0 H120 L85 44 H-80Z" fill="#1c1a2b"/><path d="M-4 -10 V-210" stroke="#1c1a2b" stroke-width="6"/>
    <path d="M4 -205 Q92 -110 104 -18 H4Z" fill="#f3dcc0"/><path d="M-12 -180 Q-70 -90 -84 -18 H-12Z" fill="#d9b295"/>
    <path d="M-90 56 Q0 76 100 56 L60 120 Q0 96 -50 120Z" fill="#0d1226" opacity=".4"/></g>`
}

/** Film grain, faint enough to compress well. */
function grain(): Promise<Buffer> {
  return sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#808080',
      noise: { type: 'gaussian', mean: 128, sigma: 5 },
    },
  })
    .png()
    .toBuffer()
}
