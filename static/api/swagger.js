"use strict";

// Shows the description of the API. Whoever is logged in tries it with their session, whose token
// goes along; others with a key, by the button "Authorize".
const place = document.getElementById("swagger");
const token = () => /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";

SwaggerUIBundle({
  url: place.dataset.description,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  requestInterceptor: (request) => {
    if (request.method && request.method !== "GET") {
      request.headers["X-CSRFToken"] = token();
    }
    return request;
  },
});
