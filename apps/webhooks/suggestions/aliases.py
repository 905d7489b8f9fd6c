"""What people call the places where a token belongs.

`CLEAR` names mean their token wherever they stand. The names in `OF` mean it only inside of, or
behind a word for, their subject: a name is the campaign's in `campaign.name`, the dealer's in
`dealer_name`. Those of the caller also mean it where no subject is named at all. The token's own
name needs no mention.
"""

from collections.abc import Mapping
from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


CALLER: Final = "caller"
CALL: Final = "call"

CLEAR: Final[Mapping[str, str]] = {
    "callid": "call id, call uuid, call guid, call sid, call ref, call reference, call key,"
    " phone call id, unique call id, anruf id, id llamada",
    "session_id": "session id, session guid, session uuid, web session id, visit id",
    "dialed_time": "duration, dur, call duration, call length, total duration, duration seconds,"
    " duration sec, call seconds, length of call, total call time, call time seconds, dauer,"
    " anrufdauer, duree, duracion, duracion llamada, duree appel, duration ms, call duration ms",
    "answered_time": "talk time, talk duration, connect duration, answered duration, answered"
    " time, billsec,"
    " conversation time, conversation duration, connected time, talk seconds, time talked,"
    " gesprachsdauer, gespraechsdauer, billable seconds, talktime sec",
    "dialstatus": "dial status, dial call status, call status, call outcome, call result,"
    " call disposition, disposition, answer status, answered status, anrufstatus,"
    " estado llamada, statut appel",
    "tracking": "tracking number, tracking phone, tracking phone number, dialed number,"
    " dialled number, called number, number called, number dialed, num dialed, num called, did,"
    " dnis, ddi, to number,"
    " call to number, to phone number, dynamic number, call tracking number, tracking num,"
    " called, to phone, gewahlte nummer, numero marcado, numero appele, inbound number,"
    " destination dialed",
    "ani": "ani, caller id, caller id number, calling number, calling phone number, caller"
    " number, from number,"
    " call from number, from phone, from phone number, incoming number, callback number, clid, cli,"
    " numero llamante, numero appelant, anrufernummer, rufnummer anrufer, caller num, callerid",
    "call_start_time": "call start, call started, call start time, start time, call time,"
    " call date, call date time, date of call, time of call, call started at, called at,"
    " started at, timestamp, call timestamp, call begin, begin time, start timestamp,"
    " request date, requestdate, received at, received on, call received, anrufdatum, call dt,"
    " event time, date time, datetime, hs timestamp,"
    " anrufzeit, anrufbeginn, fecha llamada, date appel, call datetime, inquiry date, start date",
    "call_end_time": "call end, call ended, call end time, end time, call ended at, ended at,"
    " hangup time, hung up at, completed at, end timestamp, finish time, anrufende,"
    " fin llamada, fin appel, disconnect time",
    "target": "target number, target phone, destination number, destination phone number,"
    " destination, forward to, forwarding number, forwarded to, ring to number,"
    " termination number, ring to, transfer number, routed to, zielnummer, answering number,"
    " target phone number",
    "global_id": "global id, visitor id, visitor guid, visitor uuid, global user id, cookie id,"
    " unique visitor id",
    "landing_domain": "landing domain, landing host, landing site",
    "repeat_caller": "repeat caller, is repeat caller, returning caller, repeat call,"
    " is repeat, previous caller, existing caller",
    "prompt_responses": "prompt responses, prompts, responses, ivr responses, survey responses,"
    " questions and answers, menu responses, treatment responses, answers, qa",
    "question": "prompt question, question name, question text, frage",
    "question_link": "question url, question audio, prompt url, question recording",
    "response": "prompt response, answer, digits, digits pressed, key pressed response, antwort,"
    " response value",
    "domain_name": "domain, website domain, site domain, web domain, host name, hostname",
    "campaign_name": "campaign name, ad campaign name, marketing campaign, campaign,"
    " campaign title, tracking campaign, campaign label, kampagne, kampagnenname, campana,"
    " campagne, nombre campana, nom campagne, lead source campaign",
    "rec_audiourl": "recording url, recording link, recording, audio url, call recording,"
    " call recording url, recording mp3, mp3 url, mp3, audio link, recording file, audio,"
    " link to recording, call audio, call recording link, record url, recording uri, rec url,"
    " aufnahme, aufzeichnung, grabacion, url grabacion, enregistrement, play recording url",
    "rec_audiowavurl": "recording wav, wav url, wav, recording url wav, recording wav url,"
    " stereo recording url, audio wav",
    "recording_duration": "recording duration, recording length, recording seconds,"
    " audio duration, recorded time, rec duration",
    "transcript": "transcript, transcription, call transcript, transcription text, transcript text,"
    " call transcription, conversation text, transkript, transcripcion",
    "call_summary": "call summary, call notes, call description, call body, call note,"
    " summary of call, hs call body, call details text, zusammenfassung",
    "direction": "call direction, direction, call type direction, inbound outbound, richtung",
    "treatment_name": "treatment name, treatment, call treatment, ivr name, menu name, call flow,"
    " ivr menu, call flow name, callflow",
    "option_key": "option key, key press, key pressed, keypress, menu option key, ivr key,"
    " ivr digit, dtmf, option number, menu key, pressed key",
    "option_name": "option name, menu option, ivr option, option label, menu selection,"
    " ivr selection, option selected, selected option, option chosen, extension name, menu choice",
    "ani_is_valid": "is valid, ani valid, valid number, phone valid, number valid, is valid number,"
    " phone is valid, caller valid, valid phone, is phone valid",
    "ani_line_type": "line type, phone type, phone line type, number type, caller line type,"
    " line kind, telefontyp, tipo linea",
    "ani_carrier": "carrier, phone carrier, carrier name, network operator, phone company,"
    " wireless carrier, mobile carrier, operator name, telco, netzbetreiber",
    "tags": "campaign tags, tag list",
    "location_name": "location name, dealership name, dealer name, store name, vendor name,"
    " vendorname, branch name, business location, shop name, standort, filiale, sucursal,"
    " office name, business name, clinic name, practice name, location title, succursale",
    "account_id": "account id, account number, client account number, client account id, acct id,"
    " acct no, account no, kontonummer, client account",
    "location_id": "location id, store id, dealer id, dealership id, branch id, store number,"
    " client location id, location number, dealer code, store code, vendor id, office id,"
    " location code, rooftop id, dealer number, dealer no, dealership number, store no",
    "site_id": "site id, site identifier, site number",
    "domain_id": "domain id, domain identifier",
    "page_id": "page id, web page id, page uuid",
    "page_converted_on": "page converted on, conversion page, conversion url, converted page,"
    " page url, page location, current page, current url, calling page, call page,"
    " last page, last page url, event source url, last url, last requested url, page called from",
    "first_page_landed_on": "first page landed on, landing page, landing page url, landing url,"
    " first page, entry page, entry url, first url, landing, first touch url, page landed on,"
    " first page seen",
    "vehicle_vin": "vin, vin number, vehicle identification number, vehicle id number,"
    " chassis number, fahrgestellnummer, numero chasis",
    "vehicle_year": "vehicle year, model year, baujahr, modelljahr, ano modelo",
    "vehicle_make": "vehicle make, car make, auto make, vehicle manufacturer",
    "vehicle_model": "vehicle model, car model, auto model, vehicle model name",
    "referral_domain": "referral domain, referrer domain, referring domain, referrer, referer,"
    " referring site, referral source, referring url, http referer, referrer url, referral",
    "medium": "traffic medium, medium type, marketing channel, traffic type,"
    " traffic channel, marketing medium",
    "utm_source": "utm source, utm src, traffic source, utmsource, source utm, ga source,"
    " campaign source, marketing source",
    "utm_medium": "utm medium, utmmedium, ga medium, campaign medium",
    "utm_campaign": "utm campaign, utmcampaign, ga campaign, utm campaign name, utm name",
    "utm_content": "utm content, utmcontent, ad content, utm creative, campaign content",
    "keyword": "keyword, keywords, search keyword, search term, search terms, utm term, ad keyword,"
    " search query, suchbegriff, keyphrase, ppc keyword, palabra clave, mot cle",
    "gclid": "gclid, google click id, gcl id, adwords click id, google ads click id, g clid,"
    " google clid, gclid value",
    "fbc": "fbc, facebook click id, meta click id, fb click id",
    "fbp": "fbp, facebook browser id, meta browser id, fb browser id",
    "analytics_client_id": "ga client id, google client id, google analytics client id,"
    " analytics client id, ga cid",
    "ring_count": "ring count, rings, number of rings, ring number, rings before answer,"
    " total rings",
    "visitor_browser_family": "browser, browser name, browser family, user browser, web browser",
    "visitor_browser_version": "browser version, browser ver",
    "visitor_device": "device, device type, device name, device family, user device,"
    " device category",
    "visitor_ip_address": "ip, ip address, user ip, client ip, remote ip, ip addr, ip adresse,"
    " direccion ip, adresse ip, client ip address, visitor ip, remote addr, ipv4",
    "visitor_operating_system": "operating system, os, os name, os family, platform os,"
    " betriebssystem, device os, sistema operativo",
    "visitor_user_agent": "user agent, browser user agent, ua, http user agent, client user agent,"
    " user agent string",
    "visitor_lat": "latitude, lat, geo lat, ip latitude, breitengrad, latitud",
    "visitor_long": "longitude, long, lng, lon, geo long, geo lng, geo lon, ip longitude,"
    " langengrad, longitud",
    "ani_city": "from city",
    "ani_state": "from state",
    "ani_zip": "from zip, from postal code",
    "ani_zip4": "zip ext, zip extension",
    "ani_country_code": "from country",
    "ani_updated_at": "lookup date, looked up at, caller updated at, lookup updated at,"
    " caller info updated",
}

HASHED: Final[Mapping[str, str]] = {
    "em": "ani_email",
    "ph": "ani",
    "fn": "ani_first_name",
    "ln": "ani_last_name",
    "ct": "ani_city",
    "st": "ani_state",
    "zp": "ani_zip",
}
"""Short names that mean their token where the value is a hash, as advertisers want them."""

OF: Final[Mapping[str, Mapping[str, str]]] = {
    CALLER: {
        "ani": "phone, phone number, number, telephone, telephone number, tel, phone no, mobile,"
        " mobile phone, mobile number, cell, cell phone, cellphone, phone 1, primary phone,"
        " main phone, home phone, contact number, contact phone, phonenum, ph, phone num,"
        " ph no, day phone, daytime phone, best phone, work phone, voice phone, cellphone phone,"
        " tel no, tel num, telefon, telefonnummer, telefonnr, tel nr, rufnummer, handy,"
        " handynummer, mobilnummer, mobiltelefon, mobil, telefono, numero telefono,"
        " numero de telefono, celular, movil, numero, telephone portable, numero de telephone,"
        " numero telephone, portable, mobile phone number, phone home, phone mobile, phone work,"
        " home phone number, wireless phone, hm phone, wk phone, work phone number, work number,"
        " home number, evening phone,"
        " contact no, mobile no, from",
        "tracking": "to",
        "ani_full_name": "name, full name, fullname, display name, whole name, complete name,"
        " name full, kundenname, customer name, contact name, lead name, person name, cnam,"
        " caller id name,"
        " callername, vollstandiger name, nombre completo, nom complet, client name, full nm",
        "ani_first_name": "first name, fname, given name, forename, f name, first nm, name first,"
        " christian name, givenname, vorname, prenom, nombre, primer nombre, voornaam, firstname,"
        " nombre de pila, fst name, name given",
        "ani_middle_name": "middle name, mname, middle initial, m name, middlename, mi,"
        " second name, zweiter vorname, segundo nombre, deuxieme prenom, middle",
        "ani_last_name": "last name, lname, surname, family name, l name, last nm, name last,"
        " lastname, sname, nachname, familienname, apellido, apellidos, nom, nom de famille,"
        " name family, primer apellido, achternaam, lst name",
        "ani_email": "email, e mail, email address, e mail address, mail, mail address,"
        " email id, primary email, email 1, correo, correo electronico, courriel,"
        " adresse email, adresse e mail, email adresse, emailaddr, e mail adresse, eml",
        "ani_type": "home type, dwelling type, residence type, property type, housing type",
        "ani_street_line_1": "address, street, address line 1, address line, address 1, addr 1,"
        " addr, street address, street 1, street line 1, home address, mailing address, strasse,"
        " address line one, street address 1, direccion, calle, adresse, rue, line 1,"
        " full street, anschrift, mailing street, str, adresse 1, domicilio, postal address,"
        " street and number, strasse hausnummer, address street, strasse nr",
        "ani_street_line_2": "address line 2, address 2, addr 2, street 2, street line 2, apt,"
        " apartment, unit, suite, line 2, address line two, street address 2, adresszusatz,"
        " apartamento, appartement, unit number, apt number, apartment number, adresse 2,"
        " complement adresse, mailing street 2",
        "ani_city": "city, town, city name, city town, home city, mailing city, address city,"
        " stadt, ort, wohnort, ciudad, ville, localidad, municipality, locality, suburb, poblacion",
        "ani_zip": "zip, zip code, zipcode, postal code, postcode, post code, postalcode,"
        " mailing zip, mailing postal code, address zip, address postal code, address postcode,"
        " plz, postleitzahl, codigo postal,"
        " code postal, zip postal code, postal, zip 5, pincode, cp, postal zip",
        "ani_zip4": "zip 4, zip plus 4, zip plus four, plus 4",
        "ani_state": "state, state code, province, state or province, region code, state province,"
        " regioncode, home state, mailing state, address state, bundesland, provincia, st code,"
        " county state, state name, state region, provinz, address region, address province,"
        " address state or province",
        "ani_country_code": "country, country code, country iso, mailing country, iso country,"
        " country iso 2, land, pais, pays, address country, countrycode, country name, laendercode",
        "ani_street_number": "street number, house number, street no, house no, hausnummer,"
        " building number, numero de calle, address number, house num, hausnr",
        "ani_street_name": "street name, name of street, strassenname, nom de rue,"
        " nombre de calle, route",
        "ani_street_type": "street type, street suffix, street kind, type of street",
        "ani_address": "full address, complete address, whole address, formatted address, address"
        " full,"
        " single line address, one line address",
        "ani_is_valid": "is valid, valid",
        "ani_carrier": "carrier",
        "ani_line_type": "line type, phone type",
    },
    CALL: {
        "callid": "id, uuid, guid, sid, external id, identifier, unique id, ref, reference",
        "call_start_time": "start, started, begin, date, time, created at, date created,"
        " start date, start datetime, created, timestamp, occurred at, datum",
        "call_end_time": "end, ended, end date, finish",
        "dialed_time": "length, seconds, duration, total time",
        "dialstatus": "status, outcome, result, state, answered",
        "ani": "number, phone, phone number, caller, from",
        "tracking": "to",
        "campaign_name": "campaign",
        "call_summary": "summary, notes, description, body, note",
        "tags": "tags",
        "rec_audiourl": "url, link",
    },
    "location": {
        "location_name": "name, title, label, display name",
        "location_address_line_1": "address, address line 1, address 1, street, street address,"
        " addr, street 1, addr 1, line 1, strasse, direccion, adresse, street line 1",
        "location_address_line_2": "address line 2, address 2, street 2, addr 2, line 2, suite,"
        " street line 2, apartment, unit",
        "location_address_city": "city, town, address city, stadt, ort, ciudad, ville",
        "location_address_zip": "zip, zip code, postal code, postcode, address zip, plz,"
        " code postal, codigo postal",
        "location_address_state": "state, province, region, regioncode, state code,"
        " address state, bundesland",
        "location_id": "id, code, number, external id, ref",
        "tracking": "phone, phone number, tracking number",
    },
    "campaign": {
        "campaign_name": "name, title, label",
        "utm_source": "source",
        "utm_medium": "medium",
        "utm_content": "content",
        "keyword": "term",
        "tags": "tags",
    },
    "visitor": {
        "visitor_city": "city, geo city, town, ip city",
        "visitor_region": "region, state, province, geo region, geo state, region code",
        "visitor_country_code": "country, country code, geo country, ip country",
        "visitor_ip_address": "ip, ip address",
        "visitor_device": "device, device type",
        "visitor_browser_family": "browser",
        "visitor_operating_system": "os, operating system, platform",
        "visitor_lat": "lat, latitude",
        "visitor_long": "long, longitude, lng, lon",
        "global_id": "id, uuid, guid",
        "session_id": "session, session id",
        "referral_domain": "referrer, referral",
        "first_page_landed_on": "landing page, landing",
    },
    "device": {
        "visitor_device": "type, name, category, family, kind",
        "visitor_operating_system": "os, operating system, platform",
        "visitor_browser_family": "browser",
        "visitor_ip_address": "ip, ip address",
    },
    "browser": {
        "visitor_browser_family": "name, family",
        "visitor_browser_version": "version",
        "visitor_user_agent": "user agent",
    },
    "vehicle": {
        "vehicle_vin": "vin, id",
        "vehicle_year": "year, jahr, ano, annee",
        "vehicle_make": "make, brand, manufacturer, marke, fabricante, marca, marque",
        "vehicle_model": "model, modell, modelo, modele",
    },
    "recording": {
        "rec_audiourl": "url, link, file, mp3, uri, href, mp3 url",
        "rec_audiowavurl": "wav, wav url, stereo, url wav, stereo url",
        "recording_duration": "duration, length, seconds, duration seconds",
        "transcript": "transcript, transcription",
    },
    "session": {"session_id": "id, uuid, guid"},
    "option": {"option_key": "key, digit, number", "option_name": "name, label, title"},
    "treatment": {"treatment_name": "name, label, title"},
}

SUBJECTS: Final[Mapping[str, str]] = {
    CALLER: "caller customer cust contact lead person consumer prospect client kunde kunden"
    " cliente llamante appelant anrufer guest buyer applicant shopper homeowner patient kontakt"
    " contacto interessent requester subscriber enquirer inquirer",
    CALL: "call anruf llamada appel phonecall",
    "location": "location dealer dealership store vendor branch shop office clinic practice"
    " franchise rooftop standort filiale sucursal succursale tienda magasin haendler",
    "campaign": "campaign kampagne campana campagne",
    "device": "device",
    "browser": "browser",
    "visitor": "visitor geo geoip besucher visitante visiteur",
    "vehicle": "vehicle veh car auto fahrzeug vehiculo vehicule voiture",
    "recording": "recording audio rec aufnahme grabacion enregistrement",
    "session": "session visit",
    "option": "option",
    "treatment": "treatment ivr menu",
}

FOREIGN: Final = _set(
    "agent owner user rep representative employee assignee assigned staff advisor salesperson"
    " operator provider product company organization organisation org firma empresa entreprise"
    " societe employer spouse partner emergency billing shipping invoice payment order deal"
    " opportunity pipeline stage team department dept queue form webhook integration template"
    " list file image photo event property plan policy insurance project task ticket case job"
    " school doctor appointment service finance lender trade previous prev alternate alt other"
    " secondary second fax co cosigner manager creator author editor reviewer parent child"
    " host server api app application schema meta version tenant workspace website"
    " county bank card credit facebook twitter linkedin instagram social interest consent preferred"
    " preference extension operation opt birth birthday dob gender age score rating price amount"
    " budget"
)
"""Words that say that a place is about somebody or something else."""

VAGUE: Final = _set("contact contacts person kontakt contacto")
"""Words for the caller that, inside of something else, are about that: a dealer's contact."""

UNITS: Final = _set(
    "in seconds sec secs s ss mm hh segundos sekunden secondes minutos micros microseconds us ms"
    " msec millis milliseconds minutes mins min utc gmt local"
)
"""Words for the unit or the zone of a value."""

NOISE: Final = _set(
    "the a of my your data info information details detail field fields value val values text"
    " content str string txt input attribute attributes properties item items record"
    " records payload object row entry c hs pc custom cf fld frm x z crm standard primary"
    " main merge bare raw std voice root request req params param default contents element"
    " adf addressbook personal demographic demographics profile basic "
    " message envelope notification notifications context traits attr attrs formatted hash hashed"
    " sha 256"
)
"""Words that say nothing about what belongs in a place."""

NAMING: Final = _set("field property attribute param parameter")
"""Names of places that name others."""

KINDS: Final = _set("type kind label category")
"""Names of places that tell others apart: a kind of phone, as home, is no phone."""

STOPS: Final = _set(
    "de d l la le les du des del der die das of s what is your please enter required optional"
)
"""Words that join others."""

STRUCTURAL: Final = _set(
    "type part line sequence source status interest id version lang xmlns schema name"
    " primarycontact preferredcontact time kind class key currency units delta relativeto"
)
"""Names of XML attributes that are a part of the document's shape."""
