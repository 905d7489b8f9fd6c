"""The samples of the call notifications: what goes where, as text with tokens."""

from typing import Final

START_SAMPLE: Final = """{
  "Id": "%delivery_id%",
  "Attempt": "%attempt%",
  "Properties": {
    "CollectionType": "CallDetails",
    "UTC": "%sent_at%",
    "Organization": "%organization_id%",
    "RequestId": "%request_id%"
  },
  "Notifications": [
    {
      "Action": "CallDetails.CallStartCall",
      "CallDate": "%call_start_time%",
      "CalledNumber": "%tracking%",
      "CallerNumber": "%ani%",
      "OrgGroupName": "%account_name%",
      "OrgGroupID": "%organization_id%",
      "OrganizationID": "%organization_id%",
      "RouteKey": "%custom.route_key%",
      "CallerDetails": {
        "PhoneNumber": "%ani%",
        "Name": "%ani_full_name%",
        "Address": "%ani_street_line_1%",
        "City": "%ani_city%",
        "Zip": "%ani_zip%",
        "State": "%ani_state%",
        "ShortZip": "%ani_zip%",
        "RichData": "%custom.rich_data%"
      },
      "StudyDetails": {
        "StudyID": "%study_id%",
        "CustomID": "%custom.study.custom_id%",
        "CustomText": "%custom.study.custom_text%",
        "CustomText2": "%custom.study.custom_text2%",
        "CustomText3": "%custom.study.custom_text3%"
      },
      "AdDetails": {
        "AdDefinitionID": "%ad_id%",
        "CustomID": "%custom.ad.custom_id%",
        "CustomText": "%custom.ad.custom_text%",
        "CustomText2": "%custom.ad.custom_text2%",
        "CustomText3": "%custom.ad.custom_text3%",
        "CustomText4": "%custom.ad.custom_text4%"
      },
      "AdvertiserDetails": {
        "AdvertiserID": "%advertiser_id%",
        "ClientCode": "%location_id%",
        "CustomText": "%custom.advertiser.custom_text%",
        "CustomText2": "%custom.advertiser.custom_text2%"
      },
      "AttributionDetails": {
        "SessionId": "%visitor_session_id%",
        "RuleDescription": "%attribution_rule%",
        "LandingPageUrl": "%first_page_landed_on%",
        "ReferrerUrl": "%referral_domain%",
        "ip_address": "%visitor_ip_address%",
        "user_agent": "%visitor_user_agent%",
        "session_tag": {
          "tag_id": "%session_tag_id%",
          "tag_data": "%session_tag_data%",
          "tag_time": "%session_tag_time%"
        }
      }
    }
  ]
}"""

PREPROCESSED_SAMPLE: Final = """{
  "Id": "%delivery_id%",
  "Attempt": "%attempt%",
  "Properties": {
    "CollectionType": "CallDetails",
    "UTC": "%sent_at%",
    "Organization": "%organization_id%",
    "RequestId": "%request_id%"
  },
  "Notifications": [
    {
      "Action": "CallDetails.CallPreprocessed",
      "OrganizationId": "%organization_id%",
      "Incomplete": true,
      "TelmetricsId": "%callid%",
      "TelmetricsStudyID": "%study_id%",
      "CalledNumber": "%tracking%",
      "TerminationNumber": "%target%",
      "StartTime": "%call_start_time%",
      "AnswerTime": "%call_answer_time%",
      "EndTime": "%call_end_time%",
      "MonitorStartTime": "%call_start_time%",
      "MonitorEndTime": "%call_end_time%",
      "AnswerStatus": "%dialstatus%",
      "SmsResponse": "%custom.sms_response%",
      "RingCount": "%ring_count%",
      "CallSeconds": "%answered_time%",
      "CallerNumber": "%ani%",
      "TimeZone": "%location_time_zone%",
      "RegisteredDNC": "%custom.registered_dnc%",
      "CallerName": "%ani_full_name%",
      "CallerStreet": "%ani_street_line_1%",
      "CallerCity": "%ani_city%",
      "CallerState": "%ani_state%",
      "CallerZip": "%ani_zip%",
      "CallerAddress": "%ani_address%",
      "CallerType": "%ani_type%",
      "VoiceRecordID": "%recording_id%",
      "Latitude": "%ani_lat%",
      "Longitude": "%ani_long%",
      "VoiceRecordingUrl": "%rec_audiourl%",
      "VoiceMailDetected": "%dialstatus%",
      "VoiceTrends": {
        "Lead": "%voice_lead%",
        "VoiceMail": "%voice_voicemail%"
      },
      "RouteKey": "%custom.route_key%",
      "SegmentName": "%custom.segment_name%",
      "CallTranscript": "%transcript%",
      "OrgGroupID": "%organization_id%",
      "OrgGroupName": "%account_name%",
      "CallTags": {
        "TagIDs": "%tag_ids%"
      },
      "StudyDetails": {
        "StudyID": "%study_id%",
        "CustomID": "%custom.study.custom_id%",
        "CustomText": "%custom.study.custom_text%",
        "CustomText2": "%custom.study.custom_text2%",
        "CustomText3": "%custom.study.custom_text3%"
      },
      "AdDetails": {
        "AdDefinitionID": "%ad_id%",
        "CustomID": "%custom.ad.custom_id%",
        "CustomText": "%custom.ad.custom_text%",
        "CustomText2": "%custom.ad.custom_text2%",
        "CustomText3": "%custom.ad.custom_text3%",
        "CustomText4": "%custom.ad.custom_text4%",
        "AdDefinitionName": "%phone_label%"
      },
      "AdvertiserDetails": {
        "AdvertiserID": "%advertiser_id%",
        "ClientCode": "%location_id%",
        "CustomText": "%custom.advertiser.custom_text%",
        "CustomText2": "%custom.advertiser.custom_text2%",
        "AdvertiserName": "%location_name%"
      },
      "AttributionDetails": {
        "SessionId": "%visitor_session_id%",
        "RuleDescription": "%attribution_rule%",
        "LandingPageUrl": "%first_page_landed_on%",
        "ReferrerUrl": "%referral_domain%",
        "ip_address": "%visitor_ip_address%",
        "user_agent": "%visitor_user_agent%",
        "session_tag": {
          "tag_id": "%session_tag_id%",
          "tag_data": "%session_tag_data%",
          "tag_time": "%session_tag_time%"
        }
      }
    }
  ]
}"""

PROCESSED_SAMPLE: Final = """{
  "Id": "%delivery_id%",
  "Attempt": "%attempt%",
  "Properties": {
    "CollectionType": "CallDetails",
    "UTC": "%sent_at%"
  },
  "Notifications": [
    {
      "Action": "CallDetails.CallProcessed",
      "TelmetricsId": "%callid%",
      "TelmetricsStudyID": "%study_id%",
      "CalledNumber": "%tracking%",
      "TerminationNumber": "%target%",
      "StartTime": "%call_start_time%",
      "AnswerTime": "%call_answer_time%",
      "EndTime": "%call_end_time%",
      "MonitorStartTime": "%call_start_time%",
      "MonitorEndTime": "%call_end_time%",
      "AnswerStatus": "%dialstatus%",
      "RingCount": "%ring_count%",
      "CallSeconds": "%answered_time%",
      "CallerNumber": "%ani%",
      "CallerName": "%ani_full_name%",
      "CallerStreet": "%ani_street_line_1%",
      "CallerCity": "%ani_city%",
      "CallerState": "%ani_state%",
      "CallerZip": "%ani_zip%",
      "CallerAddress": "%ani_address%",
      "TimeZone": "%location_time_zone%",
      "Incomplete": true,
      "OrgGroupId": "%organization_id%",
      "VoiceRecordingUrl": "%rec_audiourl%",
      "VoiceMailDetected": "%dialstatus%",
      "VoiceTrends": {
        "Lead": "%voice_lead%",
        "VoiceMail": "%voice_voicemail%"
      },
      "CallTranscript": "%transcript%",
      "keyword_lists": [
        {
          "keyword_list": "%keyword_lists%"
        }
      ],
      "StudyDetails": {
        "StudyID": "%study_id%",
        "CustomID": "%custom.study.custom_id%",
        "CustomText": "%custom.study.custom_text%",
        "CustomText2": "%custom.study.custom_text2%",
        "CustomText3": "%custom.study.custom_text3%"
      },
      "AdDetails": {
        "AdDefinitionId": "%ad_id%",
        "CustomID": "%custom.ad.custom_id%",
        "CustomText": "%custom.ad.custom_text%",
        "CustomText2": "%custom.ad.custom_text2%",
        "CustomText3": "%custom.ad.custom_text3%",
        "CustomText4": "%custom.ad.custom_text4%"
      },
      "AdvertiserDetails": {
        "AdvertiserId": "%advertiser_id%",
        "ClientCode": "%location_id%",
        "CustomText": "%custom.advertiser.custom_text%",
        "CustomText2": "%custom.advertiser.custom_text2%"
      },
      "AttributionDetails": {
        "SessionId": "%visitor_session_id%",
        "RuleDescription": "%attribution_rule%",
        "LandingPagURL:": "%first_page_landed_on%",
        "ReferrerURL": "%referral_domain%",
        "MultisessionFlag": "%multi_session%",
        "utm_campaign": "%utm_campaign%",
        "utm_term": "%keyword%",
        "utm_source": "%utm_source%",
        "utm_medium": "%utm_medium%",
        "utm_content": "%utm_content%",
        "ip_address": "%visitor_ip_address%",
        "user_agent": "%visitor_user_agent%",
        "session_tag": {
          "tag_id": "%session_tag_id%",
          "tag_data": "%session_tag_data%",
          "tag_time": "%session_tag_time%"
        }
      }
    }
  ]
}"""
