"use strict";

// Shows the description of the API. Search would need a worker from a blob, which the content
// security policy forbids.
const place = document.getElementById("redoc");
Redoc.init(place.dataset.description, { disableSearch: true, hideDownloadButton: false }, place);
