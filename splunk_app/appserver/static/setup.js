// The setup page: one field for each source macro. It speaks to splunkd's REST interface through Splunk Web.
(function () {
  "use strict";

  const app = "huntpack";
  const macros = [
    ["huntpack_signinlogs", "Sign-ins of Microsoft Entra ID (SigninLogs)"],
    ["huntpack_auditlogs", "Audit records of Microsoft Entra ID (AuditLogs)"],
    ["huntpack_commonsecuritylog", "Zscaler and other CEF sources (CommonSecurityLog)"],
    ["huntpack_w3ciislog", "IIS web servers (W3CIISLog)"],
    ["huntpack_officeactivity", "Microsoft 365 (OfficeActivity)"],
    ["huntpack_findings", "Findings that the overview counts"],
    ["huntpack_risk", "Risk events that the overview counts"],
  ];

  // What stands before /app/ holds the locale, and the root endpoint where one is set.
  const web = window.location.pathname.split("/app/")[0];

  function formKey() {
    const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("splunkweb_csrf_token_"));
    return cookie ? cookie.slice(cookie.indexOf("=") + 1) : "";
  }

  async function call(path, values) {
    const request = {
      credentials: "same-origin",
      headers: { "X-Requested-With": "XMLHttpRequest", "X-Splunk-Form-Key": formKey() },
    };
    if (values) {
      request.method = "POST";
      request.body = new URLSearchParams(values);
    }
    const answer = await fetch(`${web}/splunkd/__raw/servicesNS/nobody/${app}/${path}?output_mode=json`, request);
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const told = (body.messages || []).map((message) => message.text).join(" ");
      throw new Error(told || `${answer.status} ${answer.statusText}`);
    }
    return body;
  }

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.assign(made, attributes);
    made.append(...children);
    return made;
  }

  function field([name, label]) {
    const input = element("input", { type: "text", id: name, name, spellcheck: false });
    input.style.cssText = "display: block; width: 100%; max-width: 60em; margin: 2px 0 14px; font-family: monospace;";
    return element("div", {}, element("label", { htmlFor: name }, label), input);
  }

  async function load(form) {
    await Promise.all(
      macros.map(async ([name]) => {
        const found = await call(`configs/conf-macros/${name}`);
        form.elements[name].value = found.entry[0].content.definition;
      })
    );
  }

  async function save(form) {
    for (const [name] of macros) {
      await call(`configs/conf-macros/${name}`, { definition: form.elements[name].value.trim() });
    }
    await call(`apps/local/${app}`, { configured: "true" }).catch(() => {
      // The app's own page may be out of reach of a role that can edit macros: the macros are what counts.
    });
  }

  function show(place) {
    const button = element("button", { type: "submit", className: "btn btn-primary" }, "Save");
    const state = element("p", {});
    state.setAttribute("role", "status");
    const form = element("form", {}, ...macros.map(field), button, state);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      state.textContent = "Saving ...";
      save(form).then(
        () => (state.textContent = "Saved. Scheduled rules use these sources from their next run on."),
        (error) => (state.textContent = `Not saved: ${error.message}`)
      );
    });
    place.replaceChildren(form);
    load(form).catch((error) => (state.textContent = `The macros cannot be read: ${error.message}`));
  }

  const place = document.getElementById("huntpack-setup");
  if (place) {
    show(place);
  }
})();
