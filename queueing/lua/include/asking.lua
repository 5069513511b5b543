-- What asking an agent for it needs of a contact's page: text around it, as contact.
local queue, passed, band, fence, rest =
    string.match(contact, '^[^|]*|([^|]*)|([^|]*)|([^|]*)|([^|]*)|[^|]*|[^|]*|[^|]*()')
