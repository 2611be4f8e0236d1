// The proof that a request comes from our own page: every script's fetch brings it along, and one that was refused
// because the page was open for too long is sent again, once, with the fresh proof from the refusal.
const PROOF = "X-CSRF-Token", HEADERS = "hx-headers:inherited";

function proof() {
  return JSON.parse(document.body.getAttribute(HEADERS) || "{}")[PROOF] || "";
}

function renew(fresh) {
  document.body.setAttribute(HEADERS, JSON.stringify({ [PROOF]: fresh }));
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = fresh;
}

{
  const send = window.fetch.bind(window);
  window.fetch = async (address, options = {}) => {
    const own = new URL(address, location.href).origin === location.origin;
    const unsafe = !["GET", "HEAD"].includes((options.method || "GET").toUpperCase());
    if (!own || !unsafe) return send(address, options);
    const headers = new Headers(options.headers);
    if (!headers.has(PROOF)) headers.set(PROOF, proof());
    const answer = await send(address, { ...options, headers });
    const fresh = answer.status === 403 && answer.headers.get(PROOF);
    if (!fresh) return answer;
    renew(fresh);
    headers.set(PROOF, fresh);
    return send(address, { ...options, headers });
  };
}
